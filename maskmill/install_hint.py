"""Says what to type to install a missing library: a command that works in the shell in which it is printed."""

from __future__ import annotations

import re
import shlex
import sys
from importlib.metadata import PackageNotFoundError, distribution, requires


def pip_install(*requirements: str) -> str:
    """Returns a shell command that installs requirements for the running interpreter."""
    return shlex.join([sys.executable, "-m", "pip", "install", *requirements])


def missing_requirements() -> list[str]:
    """Returns the requirements of maskmill, extras aside, that are not installed: all, if only the reader is."""
    try:
        wanted = [text for text in requires("maskmill") or [] if "extra ==" not in text]
    except PackageNotFoundError:  # a folder that is not installed
        return []
    return [text for text in wanted if not _is_installed(text)]


def _is_installed(requirement: str) -> bool:
    name = re.match(r"[\w.-]+", requirement)  # before its versions
    try:
        return name is None or bool(distribution(name[0]))
    except PackageNotFoundError:
        return False
