"""Images with colours become the grey that the original computes, or the RGB; see tests/golden/colours/README.md."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from maskmill import open_dataset
from tests.support.builders import write_params
from tests.support.command import run_create

COLOURS = Path(__file__).parents[1] / "golden" / "colours"


@pytest.mark.parametrize("flags", [(), ("--workers=2",)], ids=["one worker", "two workers"])
def test_the_grey_of_colours_is_equal_to_the_bit(tmp_path: Path, flags: tuple[str, ...]) -> None:
    params = write_params(
        tmp_path / "params.yaml", COLOURS / "data", image_shape=[64, 96, 1], train_test_split=1.0, batch_size=1
    )
    run_create(params, tmp_path / "out", "--num_output_files=2", *flags)
    examples = list(open_dataset(tmp_path / "out", "train_input"))
    with np.load(COLOURS / "expected.npz") as expected:
        assert sorted(example.image_id for example in examples) == sorted(expected.files)
        different = [one.image_id for one in examples if not np.array_equal(one.image[0], expected[one.image_id])]
    assert different == []


@pytest.mark.parametrize("flags", [(), ("--workers=2",)], ids=["one worker", "two workers"])
def test_the_colours_of_colours_are_equal_to_the_bit(tmp_path: Path, flags: tuple[str, ...]) -> None:
    params = write_params(
        tmp_path / "params.yaml",
        COLOURS / "data",
        image_shape=[64, 96, 3],
        train_test_split=1.0,
        batch_size=1,
        maskmill={"colour": "rgb"},
    )
    run_create(params, tmp_path / "out", "--num_output_files=2", *flags)
    examples = list(open_dataset(tmp_path / "out", "train_input"))
    with np.load(COLOURS / "expected_rgb.npz") as expected:
        assert sorted(example.image_id for example in examples) == sorted(expected.files)
        different = [one.image_id for one in examples if not np.array_equal(one.image, expected[one.image_id])]
    assert different == []
