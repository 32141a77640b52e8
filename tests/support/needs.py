"""What some tests need besides Python: they are skipped without it, with the reason, and fail in CI."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest

from maskmill.install_hint import pip_install

ROOT = Path(__file__).parents[2]


def needs(*programs: str) -> None:
    """Gives the test up where a program is missing."""
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        give_up(f"not installed: {', '.join(missing)}")


def needs_package(package: str, extra: str) -> None:
    """Gives the test up where a package is missing."""
    with contextlib.suppress(ModuleNotFoundError):
        if importlib.util.find_spec(package):
            return
    give_up(f"{package} is not there: {pip_install('--editable', f'{ROOT}[{extra}]')}")


def give_up(reason: str) -> NoReturn:
    """Skips the test, and says why; in CI, where nothing may be missing, fails it."""
    (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
    raise AssertionError
