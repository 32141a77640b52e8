"""The command that a hint names runs the pip of this very interpreter."""

from __future__ import annotations

import shlex
import subprocess
import sys

import pytest

from maskmill import install_hint
from maskmill.install_hint import pip_install


def test_the_command_is_one_for_the_shell_and_this_interpreter() -> None:
    command = pip_install("matplotlib", "apache-beam[gcp]>=2.77,<2.78")
    assert shlex.split(command) == [
        sys.executable,
        "-m",
        "pip",
        "install",
        "matplotlib",
        "apache-beam[gcp]>=2.77,<2.78",
    ]
    assert ">" not in command.replace("'apache-beam[gcp]>=2.77,<2.78'", "")


def test_the_command_finds_a_library_that_is_installed_here() -> None:
    done = subprocess.run(
        f"{pip_install('numpy')} --no-index --quiet --disable-pip-version-check",
        shell=True,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_nothing_is_missing_where_maskmill_is_installed_with_its_requirements(monkeypatch: pytest.MonkeyPatch) -> None:
    assert install_hint.missing_requirements() == []
    listed = ["numpy>=1", "No-Such.Package<2,>=1", 'matplotlib>=3; extra == "report"']
    monkeypatch.setattr(install_hint, "requires", lambda _: listed)
    assert install_hint.missing_requirements() == ["No-Such.Package<2,>=1"]
