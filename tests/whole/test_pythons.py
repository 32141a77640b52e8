"""`make test-pythons` picks interpreters that run; shell scripts that print a version stand in for them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.command import ROOT


def add_python(folder: Path, minor: int, version: str | None = None, status: int = 0) -> Path:
    """Writes a `python3.N` that prints its version and path, as the interpreter asked for them does."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"python3.{minor}"
    file.write_text(f"#!/bin/sh\necho '{version or f'3.{minor}.1'} {file}'\nexit {status}\n")
    file.chmod(0o755)
    return file


def run(tmp_path: Path, *command: str, folders: tuple[str, ...] = ("bin",), status: int = 0) -> list[str]:
    """Runs the script with the folders as PATH and `pyenv` as pyenv's root; returns its lines."""
    command = command or ("/bin/echo", "run")
    path = ":".join(str(tmp_path / folder) for folder in folders)
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.pythons", *command],
        cwd=ROOT,
        env={"PATH": path, "PYENV_ROOT": str(tmp_path / "pyenv"), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == status, done.stderr
    return done.stdout.splitlines()


def test_the_oldest_and_the_newest_run_in_environments_of_their_own(tmp_path: Path) -> None:
    oldest, *_, newest = [add_python(tmp_path / "bin", minor) for minor in (10, 11, 12, 13)]
    lines = run(tmp_path)
    assert "uses the oldest and the newest: 3.10.1 and 3.13.1" in lines[1]
    assert [line for line in lines if line.startswith("run")] == [
        f"run VENV=.venv-3.10 PYTHON={oldest}",
        f"run VENV=.venv-3.13 PYTHON={newest}",
    ]


def test_unsupported_versions_are_left_out(tmp_path: Path) -> None:
    for minor in (9, 11, 12, 14):
        add_python(tmp_path / "bin", minor)
    assert "uses the oldest and the newest: 3.11.1 and 3.12.1" in run(tmp_path)[1]


@pytest.mark.parametrize("status", [1, 127])
def test_a_shim_that_does_not_run_gives_way_to_the_next_on_the_path_or_of_pyenv(tmp_path: Path, status: int) -> None:
    for minor in (10, 12, 13):
        add_python(tmp_path / "shims", minor, status=status)
    (tmp_path / "shims" / "python3.11").write_text("not executable")
    oldest = add_python(tmp_path / "bin", 10)
    newest = add_python(tmp_path / "pyenv" / "versions" / "3.13.2" / "bin", 13, "3.13.2")
    lines = run(tmp_path, folders=("shims", "bin"))
    assert lines[0] == f"test-pythons: found: 3.10.1 ({oldest}), 3.13.2 ({newest})"


def test_of_pyenv_the_newest_patch_is_taken_and_the_path_precedes_it(tmp_path: Path) -> None:
    for patch in ("3.12.9", "3.12.10", "3.12.0rc1"):
        add_python(tmp_path / ".pyenv" / "versions" / patch / "bin", 12, patch)
    assert "found: 3.12.10 (" in run(tmp_path)[0]
    add_python(tmp_path / "bin", 12, "3.12.1")
    assert "found: 3.12.1 (" in run(tmp_path)[0]


def test_the_only_interpreter_runs_once(tmp_path: Path) -> None:
    add_python(tmp_path / "bin", 12)
    lines = run(tmp_path)
    assert lines[1] == "test-pythons: uses: 3.12.1"
    assert sum(line.startswith("run") for line in lines) == 1


def test_without_any_interpreter_it_fails_and_says_what_to_install(tmp_path: Path) -> None:
    [found, message] = run(tmp_path, status=1)
    assert found == "test-pythons: found: none"
    assert "install one of Python 3.10, Python 3.11, Python 3.12, Python 3.13" in message


def test_a_failure_with_the_oldest_does_not_keep_the_newest_from_running(tmp_path: Path) -> None:
    for minor in (10, 13):
        add_python(tmp_path / "bin", minor)
    lines = run(tmp_path, "/bin/sh", "-c", "case $0 in *3.10) exit 1;; esac", status=1)
    assert [line.split(" after")[0] for line in lines[2:]] == [
        "test-pythons: Python 3.10.1: exit status 1",
        "test-pythons: Python 3.13.1: exit status 0",
        "test-pythons: failed: 3.10.1",
    ]


def test_the_oldest_of_two_has_no_compiler(tmp_path: Path) -> None:
    for minor in (10, 13):
        add_python(tmp_path / "bin", minor)
    lines = run(tmp_path, "/bin/sh", "-c", "echo $0 ${CC-as usual}")
    assert [line for line in lines if line.startswith("VENV")] == ["VENV=.venv-3.10 false", "VENV=.venv-3.13 as usual"]
