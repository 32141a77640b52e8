"""Runs a command with the oldest and the newest supported Python of this machine, as `make test-pythons` does.

python -m tests.support.pythons make test

The command gets `VENV=.venv-3.N`, an environment of its own, and `PYTHON=` with the interpreter to make it from. With
the oldest of two there is no C compiler, so that the kernel is missing, and NumPy computes.
Needs only the standard library, because no environment exists yet.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

MINORS = (10, 11, 12, 13)
# `make` needs venv and ensurepip, which some distributions package separately.
_PROBE = "import ensurepip, platform, sys, venv; print(platform.python_version(), sys.executable)"


class Python(NamedTuple):
    """Describes an interpreter that runs.

    Attributes:
        minor: N of Python 3.N.
        version: in full, such as 3.13.0.
        executable: absolute path; not a shim, whose choice depends on the folder.
    """

    minor: int
    version: str
    executable: str


def main(command: list[str]) -> int:
    """Runs the command once per chosen interpreter, all of them even if one fails.

    Returns:
        the exit status: 0 if all runs succeeded.
    """
    found = list(find_pythons(os.environ.get("PATH", ""), _pyenv_roots()))
    chosen = choose(found)
    _say(", ".join(f"{one.version} ({one.executable})" for one in found) or "none", "found")
    if not chosen:
        _say(f"install one of {_names(MINORS)} with venv, on the PATH or with pyenv", "nothing to run")
        return 1
    _say(" and ".join(one.version for one in chosen), "uses the oldest and the newest" if chosen[1:] else "uses")
    without_compiler = chosen[:1] if chosen[1:] else []
    failed = [one for one in chosen if _run(one, command, compiler=one not in without_compiler) != 0]
    if failed:
        _say(" and ".join(one.version for one in failed), "failed")
    return int(bool(failed))


def choose(found: Iterable[Python]) -> list[Python]:
    """Returns the oldest and the newest of the interpreters; one if they are the same."""
    ordered = sorted(found)
    return ordered[:1] + ordered[1:][-1:]


def find_pythons(path: str, pyenv_roots: Iterable[Path]) -> Iterator[Python]:
    """Finds an interpreter for each supported minor version.

    Args:
        path: folders separated as in PATH; they precede pyenv's.
        pyenv_roots: folders that contain pyenv's `versions`.
    """
    roots = list(pyenv_roots)
    for minor in MINORS:
        candidates = (*_on_path(path, minor), *_of_pyenv(roots, minor))
        working = (python for python in map(probe, candidates) if python and python.minor == minor)
        if python := next(working, None):
            yield python


def probe(executable: Path) -> Python | None:
    """Asks an interpreter for its version.

    Returns:
        None if it does not run (a shim of pyenv without a version to run) or cannot make environments.
    """
    try:
        done = subprocess.run([executable, "-c", _PROBE], capture_output=True, text=True, timeout=60, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    version, path = done.stdout.strip().split(" ", 1)
    return Python(int(version.split(".")[1]), version, path)


def _on_path(path: str, minor: int) -> Iterator[Path]:
    files = (Path(folder, f"python3.{minor}") for folder in path.split(os.pathsep) if folder)
    return (file for file in files if os.access(file, os.X_OK))


def _of_pyenv(roots: Iterable[Path], minor: int) -> list[Path]:
    """Returns pyenv's interpreters of a minor version, newest patch first."""
    files = (file for root in roots for file in root.glob(f"versions/3.{minor}.*/bin/python3.{minor}"))
    return sorted(files, key=lambda file: _patch(file.parents[1].name), reverse=True)


def _patch(version: str) -> int:
    last = version.rsplit(".", 1)[-1]
    return int(last) if last.isdecimal() else -1  # 3.13.0t, 3.13.0rc1


def _pyenv_roots() -> list[Path]:
    named = os.environ.get("PYENV_ROOT")
    return [*([Path(named)] if named else []), Path.home() / ".pyenv"]


def _run(python: Python, command: list[str], *, compiler: bool) -> int:
    started = time.monotonic()
    variables = dict(os.environ) if compiler else {**os.environ, "CC": "false"}
    command = [*command, f"VENV=.venv-3.{python.minor}", f"PYTHON={python.executable}"]
    status = subprocess.run(command, env=variables, check=False).returncode
    _say(f"exit status {status} after {time.monotonic() - started:.0f} s", f"Python {python.version}")
    return status


def _names(minors: Iterable[int]) -> str:
    return ", ".join(f"Python 3.{minor}" for minor in minors)


def _say(text: str, subject: str) -> None:
    print(f"test-pythons: {subject}: {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
