"""Says what to type to install a missing library: a command that works in the shell in which it is printed."""

from __future__ import annotations

import shlex
import sys


def pip_install(*requirements: str) -> str:
    """Returns a shell command that installs requirements for the running interpreter."""
    return shlex.join([sys.executable, "-m", "pip", "install", *requirements])
