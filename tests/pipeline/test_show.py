"""`maskmill show`: an example as a picture."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest
from PIL import Image

from maskmill import open_dataset
from maskmill.pipeline.cli import main
from maskmill.pipeline.report.colours import class_colour
from tests.support.builders import HEIGHT, WIDTH, write_dataset
from tests.support.command import create, run_here
from tests.support.datasets import SHARD, make_dataset, write_original


def test_the_picture_has_the_image_and_beside_it_the_label(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = make_dataset(tmp_path)
    monkeypatch.chdir(tmp_path)
    capsys.readouterr()
    assert main(["show", str(dataset), "--split", "eval_input", "--index", "-1"]) == 0
    assert capsys.readouterr().out == "example 2 of eval_input, i.jpg, with class 3, is drawn in eval_input-2.png\n"
    image, label, _ = open_dataset(dataset, "eval_input")[2]
    picture = np.asarray(Image.open("eval_input-2.png"))
    height, width = image.shape[1:]
    assert np.array_equal(picture[:height, :width, 0], image[0])
    changed = (picture[:height, width + 4 : 2 * width + 4] != image[0, :, :, np.newaxis]).any(axis=2)
    assert np.array_equal(changed, label[0] > 0)
    legend = picture[height:].reshape(-1, 3).tolist()
    assert [legend.count(list(class_colour(number))) > 50 for number in (1, 2, 3, 4)] == [False, False, True, False]


def test_a_picture_names_the_classes_that_it_shows_and_has_no_legend_without_one(tmp_path: Path) -> None:
    data = write_dataset(tmp_path / "data", ["a.jpg,4,1 9", "a.jpg,1,40 9", "b.jpg,3,-1"])
    changes = {"class_id": [1, 3, 4], "loss": "multilabel_bce", "num_classes": 4, "train_test_split": 1.0}
    dataset = create(tmp_path, data, **changes)
    picture = tmp_path / "picture.png"
    assert ", with class 1 and class 4, is drawn in" in run_here("show", dataset, "--output", picture).out
    colours = {tuple(colour) for colour in np.asarray(Image.open(picture))[HEIGHT:].reshape(-1, 3).tolist()}
    assert {class_colour(1), class_colour(4)} <= colours
    assert class_colour(3) not in colours
    assert ", with no defect, is drawn in" in run_here("show", dataset, "--index=1", "--output", picture).out
    assert np.asarray(Image.open(picture)).shape == (HEIGHT, 2 * WIDTH + 4, 3)


def test_an_example_of_another_program_has_classes_by_number(tmp_path: Path) -> None:
    dataset = write_original(tmp_path)
    with h5py.File(dataset / SHARD, "a") as file:
        file["example_0/label"][0, :2] = 1
    said = run_here("show", dataset, "--output", tmp_path / "picture.png").out
    assert said.startswith("example 0 of train_input, with class 1, is drawn in ")


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


def test_the_folder_of_the_picture_is_made_and_a_place_for_no_file_is_refused(tmp_path: Path) -> None:
    dataset = make_dataset(tmp_path)
    picture = tmp_path / "a" / "b" / "x.png"
    assert run_here("show", dataset, "--output", picture).out.endswith(f", is drawn in {picture}\n")
    assert Image.open(picture).format == "PNG"
    said = run_here("show", dataset, "--output", tmp_path / "a", status=2).err
    assert f"{tmp_path}/a: is a folder; give the path of a file, such as {tmp_path}/a/example.png" in said
    assert "is a file, and no folder" in run_here("show", dataset, "--output", picture / "y.png", status=2).err
    assert "is not a path on this machine" in run_here("show", dataset, "--output=gs://b/x.png", status=2).err
