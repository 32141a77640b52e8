"""Pages of the documentation: what they show, and running it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

from tests.support.command import ROOT

_BLOCK = re.compile(r"(?:^    .*\n|^\n(?=    ))+", re.MULTILINE)


def blocks(text: str) -> list[str]:
    """The indented parts of a page, but of lists."""
    return [textwrap.dedent(block) for block in _BLOCK.findall(text)]


def python_blocks(text: str) -> list[str]:
    """Those of them that are Python."""
    begins = re.compile(r"(from|import|for|def) |try:|\w+ = ")
    return [block for block in blocks(text) if begins.match(block.strip())]


def commands(text: str) -> list[str]:
    """The commands of a page that can be run in any folder, in its order; wherever they are installed."""
    return [line for line in _lines(text) if line.startswith(("maskmill ", "python "))]


def mentioned_commands(text: str) -> list[str]:
    """All commands of a page that name something of ours: in blocks, and in sentences between backticks."""
    programs = ("maskmill ", "python ", "make ", "pip ")
    spans = [span.replace("\n", " ") for span in re.findall(r"`([^`]+)`", _BLOCK.sub("\n", text))]
    return [line for line in [*_lines(text), *spans] if line.startswith(programs)]


def _lines(text: str) -> list[str]:
    return "\n".join(blocks(text)).replace(".venv/bin/", "").replace("\\\n", " ").splitlines()


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
