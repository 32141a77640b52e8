"""Says how to call this program again, in the shell in which it was called."""

from __future__ import annotations

import os
import shlex
import shutil
import sys

_SCRIPT = "maskmill"


def this_program() -> str:
    """Returns the words that start this program: the script if it was called by it, else `python -m maskmill`."""
    called = sys.argv[0]
    if os.path.basename(called) != _SCRIPT or not os.path.isfile(called):
        return shlex.join([sys.executable, "-m", "maskmill"])
    found = shutil.which(_SCRIPT)
    return _SCRIPT if found and os.path.samefile(found, called) else shlex.quote(called)
