"""A command that is suggested works in the shell in which the program was called."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from maskmill.pipeline.messages.this_program import this_program

PROGRAM = Path(sys.executable).with_name("maskmill")


def test_a_script_that_the_shell_finds_by_its_name_is_called_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", [str(PROGRAM), "create"])
    monkeypatch.setenv("PATH", str(PROGRAM.parent))
    assert this_program() == "maskmill"


def test_another_script_is_called_by_the_path_that_was_typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my venv").mkdir()
    (tmp_path / "my venv" / "maskmill").write_text("")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["my venv/maskmill"])
    monkeypatch.setenv("PATH", str(PROGRAM.parent))
    assert this_program() == "'my venv/maskmill'"


@pytest.mark.parametrize("called", ["-c", "", "/somewhere/maskmill/__main__.py", "/usr/bin/pytest", "maskmill"])
def test_without_a_script_it_is_the_module_of_this_interpreter(
    called: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [called])
    assert this_program() == f"{sys.executable} -m maskmill"


def test_what_is_returned_starts_the_program() -> None:
    command = f"{this_program()} --version"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.startswith("maskmill ")
