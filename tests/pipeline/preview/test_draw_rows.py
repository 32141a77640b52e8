"""`maskmill preview`: an image with the masks of its rows, before any dataset is made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.support.builders import HEADER, HEIGHT, WIDTH, grey_pixels, image_bytes
from tests.support.command import Said, run_here
from tests.support.user_files import UserFiles, numbered_pixels

PIXELS = grey_pixels(1)
PNG = image_bytes(PIXELS, kind="PNG")


def preview(folder: Path, csv: str, *flags: str, output: str = "picture.png", status: int = 0, **maskmill: Any) -> Said:
    """Runs the command on images a.png and b.png, and a CSV."""
    params = UserFiles(csv=csv, images={"a.png": PNG, "b.png": PNG}, params={"maskmill": maskmill}).write(folder)
    return run_here("preview", "--params", params, "--output", folder / output, *flags, status=status)


def coloured(folder: Path) -> np.ndarray:
    """The pixels of the right half that differ from the grey image, bool [height, width]; without the legend below."""
    picture = np.asarray(Image.open(folder / "picture.png"))[:HEIGHT, : 2 * WIDTH + 4]
    assert picture.shape == (HEIGHT, 2 * WIDTH + 4, 3)
    assert np.array_equal(picture[:, :WIDTH, 0], PIXELS)
    return (picture[:, WIDTH + 4 :] != PIXELS[:, :, np.newaxis]).any(axis=2)


def test_the_first_image_with_a_mask_is_drawn_with_all_its_rows(tmp_path: Path) -> None:
    csv = f"{HEADER}\nb.png,3,-1\na.png,3,\na.png,3,1 2\nb.png,3,40 2\na.png,4,20 4\n"
    said = preview(tmp_path, csv)
    assert np.array_equal(coloured(tmp_path), numbered_pixels((1, 2), (20, 4)))
    assert said.out.splitlines()[:3] == [
        "a.png: 16 x 24 pixels, 2 rows with a mask",
        "  class 3: 2 pixels, 0.52% of the image",
        "  class 4: 4 pixels, 1.04% of the image",
    ]


@pytest.mark.parametrize("name", ["b.png", "b"])
def test_the_image_may_be_named_as_the_rows_or_the_folder_do(tmp_path: Path, name: str) -> None:
    preview(tmp_path, f"{HEADER}\na,3,1 2\nb,3,40 2\n", f"--image={name}", image_suffix=".png")
    assert np.array_equal(coloured(tmp_path), numbered_pixels((40, 2)))


def test_the_convention_of_the_masks_shows(tmp_path: Path) -> None:
    preview(tmp_path, f"{HEADER}\na.png,3,82 10 14 10\n", runs={"encoding": "relative", "order": "rows", "first": 0})
    rows_4_and_5 = np.zeros((HEIGHT, WIDTH), bool)
    rows_4_and_5[3:5, 10:20] = True
    assert np.array_equal(coloured(tmp_path), rows_4_and_5)


def test_an_image_without_a_defect_is_drawn_without_a_mask(tmp_path: Path) -> None:
    said = preview(tmp_path, f"{HEADER}\na.png,3,1 2\nb.png,3,-1\n", "--image=b.png")
    assert not coloured(tmp_path).any()
    assert said.out.startswith("b.png: 16 x 24 pixels, no row with a mask\ndrawn in ")


def test_bad_rows_are_counted_and_the_first_is_shown(tmp_path: Path) -> None:
    said = preview(tmp_path, f"{HEADER}\nb.png,3,9 2 1 2\na.png,3,1\na.png,3,1 2\n")
    assert "2 rows of the CSV cannot be read; the first: " in said.out
    assert "train.csv:2: b.png: run 2 starts at pixel 1, before run 1" in said.out


@pytest.mark.parametrize(
    ("csv", "flags", "status", "words"),
    [
        (f"{HEADER}\na.png,3,1 2\n", ["--image=c.png"], 2, "no row is of the image c.png"),
        (f"{HEADER}\na.png,3,-1\n", [], 2, "no row has a mask"),
        (f"{HEADER}\na.png,3,9 2 1 2\n", [], 2, "train.csv:2: a.png: run 2 starts at pixel 1"),
        (f"{HEADER}\nc.png,3,1 2\n", [], 2, "c.png: there is no such image"),
        (f"{HEADER}\na.png,3,384 2\n", [], 3, "run 1 ends at pixel 385, past the image's 384"),
        (f"{HEADER}\na.png,3,1 2\n", ["--imag=c.png"], 2, "unknown argument --imag; did you mean --image?"),
        ("x,y\n1,2\n", [], 2, "ImageId"),
    ],
)
def test_what_cannot_be_drawn_is_explained(tmp_path: Path, csv: str, flags: list[str], status: int, words: str) -> None:
    said = preview(tmp_path, csv, *flags, status=status)
    assert words in said.err
    assert said.out == ""
    assert not (tmp_path / "picture.png").exists()


def test_the_folder_of_the_picture_is_made_and_a_place_for_no_file_is_refused(tmp_path: Path) -> None:
    csv = f"{HEADER}\na.png,3,1 2\n"
    picture = tmp_path / "a" / "b" / "x.png"
    assert f"drawn in {picture}; " in preview(tmp_path, csv, output=str(picture)).out
    assert Image.open(picture).format == "PNG"
    params = picture.parents[2] / "params.yaml"
    for path, words in {
        picture.parent: "is a folder",
        picture / "y.png": "and no folder",
        "gs://b/x": "on this",
    }.items():
        assert words in run_here("preview", "--params", params, f"--output={path}", status=2).err


def test_a_picture_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    said = preview(tmp_path, f"{HEADER}\na.png,3,1 2\n", output="/dev/full", status=1)
    assert "/dev/full: the picture cannot be written" in said.err
    assert said.out == ""
