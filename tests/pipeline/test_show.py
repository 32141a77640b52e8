"""`maskmill show`: an example as a picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from maskmill import Example, open_dataset
from maskmill.pipeline.cli import main
from maskmill.pipeline.report.draw_example import COLOURS, class_planes, draw_label, draw_side_by_side
from tests.support.datasets import SHARD, make_dataset

GREY = np.full((1, 6, 8), 100, np.uint8)


def test_the_picture_has_the_image_and_beside_it_the_label(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = make_dataset(tmp_path)
    monkeypatch.chdir(tmp_path)
    capsys.readouterr()
    assert main(["show", str(dataset), "--split", "eval_input", "--index", "-1"]) == 0
    assert capsys.readouterr().out == "example 2 of eval_input, i.jpg, is drawn in eval_input-2.png\n"
    image, label, _ = open_dataset(dataset, "eval_input")[2]
    picture = np.asarray(Image.open("eval_input-2.png"))
    height, width = image.shape[1:]
    assert picture.shape == (height, 2 * width + 4, 3)
    assert np.array_equal(picture[:, :width, 0], image[0])
    changed = (picture[:, width + 4 :] != image[0, :, :, np.newaxis]).any(axis=2)
    assert np.array_equal(changed, label[0] > 0)


def test_wide_images_stand_one_above_the_other() -> None:
    wide = Example(np.zeros((1, 10, 64), np.uint8), np.zeros((1, 10, 64), np.float32), "")
    assert draw_side_by_side(wide).shape == (24, 64, 3)


def test_each_class_has_its_colour() -> None:
    numbers = np.zeros((6, 8), np.int32)
    numbers[0, 0], numbers[1, 1] = 1, 3
    one_hot = np.stack([numbers == number for number in range(4)]).astype(np.float32)
    for label in (numbers, one_hot):
        picture = draw_label(Example(GREY, label, ""))
        for place, number in (((0, 0), 1), ((1, 1), 3)):
            assert picture[place].tolist() == [(100 + part) // 2 for part in COLOURS[number - 1]]
        assert (picture == 100).all(axis=2).sum() == 6 * 8 - 2


def test_the_only_channel_of_a_binary_label_is_the_defect() -> None:
    label = np.zeros((1, 6, 8), np.float32)
    label[0, 2, 3] = 1
    assert [plane.sum() for plane in class_planes(label)] == [1]


@pytest.mark.parametrize("index", ["5", "-6"])
def test_an_index_that_is_not_there_is_a_wrong_usage(
    tmp_path: Path, index: str, capsys: pytest.CaptureFixture[str]
) -> None:
    dataset = make_dataset(tmp_path)
    assert main(["show", str(dataset), f"--index={index}"]) == 2
    assert f"has 5 examples; there is none with index {index}" in capsys.readouterr().err


def test_a_dataset_that_is_not_whole_is_not_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    dataset = make_dataset(tmp_path)
    (dataset / SHARD).unlink()
    assert main(["show", str(dataset)]) == 4
    assert f"{SHARD}: is missing" in capsys.readouterr().err
