"""Completion in real shells: a person types the beginning of a word, and a Tab."""

from __future__ import annotations

import functools
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.needs import needs
from tests.support.terminal import Terminal, terminal

# How a shell starts without the settings of its user, how it loads the script, and how the command then only shows its
# arguments.
SHELLS = {
    "bash": (["bash", "--norc", "--noprofile", "-i"], 'eval "$(cat completion)"; maskmill() { echo "got:$*;"; }'),
    "zsh": (
        ["zsh", "-f", "-i"],
        'autoload -Uz compinit && compinit -u -D; eval "$(cat completion)"; maskmill() { echo "got:$*;"; }',
    ),
    "tcsh": (["tcsh", "-f"], "set edit; source completion; alias maskmill 'echo got:\\!*\\;'"),
}


@functools.cache
def print_completion(shell: str) -> str:
    command = [sys.executable, "-m", "maskmill", "--print-completion", shell]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.fixture(name="shell", params=SHELLS)
def start_shell(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Terminal]:
    """A shell that completes, in a folder with files, one folder, and names that begin like it."""
    needs(request.param)
    (tmp_path / "completion").write_text(print_completion(request.param), encoding="utf-8")
    (tmp_path / "params.yaml").touch()
    (tmp_path / "out").mkdir()
    (tmp_path / "outside.txt").touch()
    start, load = SHELLS[request.param]
    with terminal(start, cwd=tmp_path) as shell:
        shell.type(f"{load}\necho rea''dy\n")
        shell.read_until("ready")
        yield shell


@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("pre", "preview"),
        ("create --num_o", "create --num_output_files"),
        ("create --params pa", "create --params params.yaml"),
        ("preview --params pa", "preview --params params.yaml"),
        ("create --output_dir o", "create --output_dir out"),
        ("create --metrics_file outs", "create --metrics_file outside.txt"),
        ("create --log_format js", "create --log_format json"),
        ("sample x --layout o", "sample x --layout original"),
        ("verify o", "verify out"),
    ],
)
def test_a_tab_completes(shell: Terminal, typed: str, completed: str) -> None:
    shell.type(f"maskmill {typed}\t\n")
    arguments = shell.read_until(r"got:([^;\n]*);")[1].strip()
    assert arguments.rstrip("/") == completed


def test_the_script_is_written_without_waiting_for_beam() -> None:
    code = (
        "import sys, maskmill.pipeline.cli as c\ntry: c.main(['--print_completion', 'zsh'])\nexcept SystemExit: pass\n"
    )
    code += "sys.exit('apache_beam' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)


def test_starting_does_not_wait_for_the_library_that_writes_completion() -> None:
    code = "import sys, maskmill.pipeline.cli as c\nc.main(['verify', '/nowhere'])\nsys.exit('shtab' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, stderr=subprocess.DEVNULL)


def test_options_that_have_no_effect_are_not_completed() -> None:
    options = re.search(r"_shtab_maskmill_plan_option_strings=\((.*)\)", print_completion("bash"))
    assert options
    assert "--verify" in options[1].split()
    assert "--metrics_file" not in options[1].split()
