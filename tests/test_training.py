"""docs/training.md: every command in it does what it says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.command import ROOT
from tests.needs import needs_package

pytestmark = pytest.mark.torch
TEXT = (ROOT / "docs" / "training.md").read_text()


def blocks() -> list[str]:
    """The indented parts of the page."""
    return [textwrap.dedent(block) for block in re.findall(r"(?:^    .*\n|^\n(?=    ))+", TEXT, re.MULTILINE)]


@pytest.fixture(name="outputs", scope="module")
def follow_the_page(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Does what the page says, in an empty folder; output by command."""
    needs_package("torch", "torch")
    folder = tmp_path_factory.mktemp("training")
    (folder / "docs").symlink_to(ROOT / "docs")
    (params,) = (block for block in blocks() if block.strip().startswith("train_input:"))
    (folder / "params.yaml").write_text(params)
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    outputs = {}
    for line in "\n".join(blocks()).splitlines():
        if line.startswith(("steelbeam ", "python ")):
            run = subprocess.run(
                line, shell=True, cwd=folder, env={**os.environ, "PATH": path}, capture_output=True, text=True
            )
            assert run.returncode == 0, run.stderr
            outputs[line] = run.stdout
    assert (folder / "train_input-3.png").stat().st_size > 0
    return outputs


def losses(text: str) -> list[float]:
    return [float(loss) for loss in re.findall(r"step +\d+: loss (\d\.\d+)", text)]


def test_all_commands_of_the_page_were_run(outputs: dict[str, str]) -> None:
    assert [line.split()[1] for line in outputs] == ["sample", "create", "verify", "show", "docs/train.py"]


def test_the_loss_falls_as_it_does_on_the_page(outputs: dict[str, str]) -> None:
    found, shown = losses(outputs["python docs/train.py hdf5"]), losses(TEXT)
    assert len(found) == len(shown) == 5
    assert found[-1] < found[0] / 2
    # PyTorch's sums differ from one machine to another.
    assert found == pytest.approx(shown, rel=0.2)
