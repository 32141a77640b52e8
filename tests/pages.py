"""Pages of the documentation: what they show, and running it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

from tests.command import ROOT

PROGRAMS = ("steelbeam ", "python ")


def blocks(text: str) -> list[str]:
    """The indented parts of a page, but of lists."""
    return [textwrap.dedent(block) for block in re.findall(r"(?:^    .*\n|^\n(?=    ))+", text, re.MULTILINE)]


def commands(text: str) -> list[str]:
    """The commands of a page, in its order; wherever they are installed."""
    lines = "\n".join(blocks(text)).replace(".venv/bin/", "").splitlines()
    return [line for line in lines if line.startswith(PROGRAMS)]


def is_synopsis(command: str) -> bool:
    """Whether a command has places to be filled in."""
    return re.search(r"\b[A-Z_]{1,}\b|\.\.\.|…", re.sub(r"\S+\.\w+", "", command)) is not None


def run(command: str, folder: Path) -> str:
    """Runs a command in a folder from which docs/ and configs/ can be reached; its output."""
    for name in ("docs", "configs"):
        if not (folder / name).exists():
            (folder / name).symlink_to(ROOT / name)
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**os.environ, "PATH": path}
    done = subprocess.run(command, shell=True, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout
