"""docs/training.md: every command in it does what it says."""

from __future__ import annotations

import re

import pytest

from tests.command import ROOT
from tests.needs import needs_package
from tests.pages import blocks, commands, run

pytestmark = pytest.mark.torch
TEXT = (ROOT / "docs" / "training.md").read_text()


@pytest.fixture(name="outputs", scope="module")
def follow_the_page(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Does what the page says, in an empty folder; output by command."""
    needs_package("torch", "torch")
    folder = tmp_path_factory.mktemp("training")
    (params,) = (block for block in blocks(TEXT) if block.strip().startswith("train_input:"))
    (folder / "params.yaml").write_text(params)
    outputs = {command: run(command, folder) for command in commands(TEXT)}
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
