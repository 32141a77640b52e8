"""Predictions become the CSV of a competition, at the size of the image files."""

from __future__ import annotations

import csv
import importlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import maskmill
from maskmill import Dataset, DatasetError, open_dataset, submission
from maskmill.stitching import restore
from maskmill.transforms.examples.mask_text import RunFormat, parse_runs
from maskmill.transforms.examples.rle import runs_to_mask
from maskmill.views import Box, View
from tests.support.builders import HEIGHT, WIDTH, write_dataset, write_images
from tests.support.command import create

# Runs of class 3 and class 4 at the size of the images; they overlap, and rows of a class unite.
ROWS = ["b.jpg,4,1 20 40 5", "b.jpg,3,10 30", "a.jpg,3,5 2", "a.jpg,3,6 9 300 85", "c.jpg,3,-1"]


def masks_of(text: str, classes: tuple[str, ...], height: int = HEIGHT, width: int = WIDTH) -> dict[str, np.ndarray]:
    """The union of the masks of each image and class in a CSV, bool [classes, height, width]."""
    masks: dict[str, np.ndarray] = {}
    for row in csv.DictReader(io.StringIO(text)):
        of_image = masks.setdefault(row["ImageId"], np.zeros((len(classes), height, width), bool))
        if row["EncodedPixels"] != "-1":
            runs = parse_runs(row["EncodedPixels"], RunFormat())
            of_image[classes.index(row["ClassId"])] |= runs_to_mask(runs, height, width) > 0
    return masks


@pytest.fixture(name="labelled", scope="module")
def make_labelled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three images with the labels of two classes, at the size of the images, with views."""
    folder = tmp_path_factory.mktemp("labelled")
    data = write_dataset(folder / "data", ROWS)
    keys = {"maskmill": {"views": True}, "loss": "multilabel_bce", "num_classes": 3, "class_id": [3, 4]}
    return create(folder, data, "--num_output_files=2", train_test_split=1.0, **keys)


@pytest.fixture(name="images", scope="module")
def make_images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four images of 40 x 90 pixels without labels, as examples of 16 x 24."""
    folder = tmp_path_factory.mktemp("images")
    write_images(folder / "data" / "test_images", ["a.jpg", "b.jpg", "c.png", "d.jpg"], 40, 90)
    keys = {"maskmill": {"csv": None, "images": "test_images"}, "loss": "multilabel_bce", "num_classes": 3}
    return create(folder, folder / "data", "--num_output_files=2", class_id=[3, 4], **keys)


def put_back(plane: np.ndarray, view: View, threshold: float = 0.5) -> np.ndarray:
    """The mask of an image, given the prediction for the example that shows it."""
    mask = np.zeros(view.image_size, bool)
    top, left, height, width = view.shown
    mask[top : top + height, left : left + width] = restore(plane, view) > threshold
    return mask


def open_images(path: Path) -> Dataset:
    return open_dataset(path, "eval_input")


def zeros(classes: int = 2) -> np.ndarray:
    return np.zeros((classes, HEIGHT, WIDTH), np.uint8)


def test_labels_become_the_masks_of_the_csv_to_the_pixel(labelled: Path) -> None:
    dataset = open_dataset(labelled)
    assert dataset.class_names == ("3", "4")
    text = submission(dataset, (example.label[1:] for example in dataset))
    assert text is not None
    assert text.startswith("ImageId,ClassId,EncodedPixels\n")
    expected = masks_of("\n".join(["ImageId,ClassId,EncodedPixels", *ROWS]), ("3", "4"))
    found = masks_of(text, ("3", "4"))
    assert found.keys() == {"a.jpg", "b.jpg"}
    assert all(np.array_equal(found[name], expected[name]) for name in found)
    part = dataset[[2, 0]]
    assert submission(part, [one.label[1:] for one in part]) == submission(part, part.read([0, 1]).labels[:, 1:])


def test_the_joined_form_has_a_row_for_every_image_and_class(labelled: Path) -> None:
    dataset = open_dataset(labelled)
    text = submission(dataset, [one.label[1:] for one in dataset], joined=True, image_suffix=".jpg")
    assert text is not None
    lines = text.splitlines()
    assert lines[0] == "ImageId_ClassId,EncodedPixels"
    names = [name.removesuffix(".jpg") for name in dataset.image_ids]
    assert [line.split(",")[0] for line in lines[1:]] == [f"{name}_{number}" for name in names for number in (3, 4)]
    assert sorted(line for line in lines if line.endswith(",")) == ["a_4,", "c_3,", "c_4,"]


def test_a_file_has_its_name_once_it_is_whole(labelled: Path, tmp_path: Path) -> None:
    dataset, path = open_dataset(labelled), tmp_path / "submission.csv"
    assert submission(dataset, dataset.read([0, 1, 2]).labels[:, 1:], path) is None
    assert path.read_text() == submission(dataset, dataset.read([0, 1, 2]).labels[:, 1:])
    path.write_text("before")
    with pytest.raises(ValueError, match="there are 1 predictions for 3 examples"):
        submission(dataset, [zeros()], path)
    assert [one.name for one in tmp_path.iterdir()] == ["submission.csv"]
    assert path.read_text() == "before"


def test_predictions_of_images_without_labels_get_the_size_of_their_files(images: Path) -> None:
    dataset = open_images(images)
    prediction = np.zeros((4, 2, HEIGHT, WIDTH), np.float32)
    prediction[1, 0, :8] = 0.9
    prediction[3, 1, :, 12:] = 0.6
    text = submission(dataset, iter(prediction))
    assert text is not None
    found = masks_of(text, ("3", "4"), 40, 90)
    assert found.keys() == {"b.jpg", "d.jpg"}
    upper, right = np.zeros((2, 40, 90), bool), np.zeros((2, 40, 90), bool)
    upper[0, :20] = True
    right[1, :, 45:] = True
    assert np.array_equal(found["b.jpg"], upper)
    # 0.6 is reached gradually: between the two middle pixels of the example it passes 0.5 beyond the middle.
    assert np.array_equal(found["d.jpg"][1].any(axis=0), np.arange(90) > 45)
    masks = submission(dataset, prediction > 0.5)
    assert masks is not None
    assert np.array_equal(masks_of(masks, ("3", "4"), 40, 90)["d.jpg"], right)


def test_predictions_are_taken_one_after_the_other_as_arrays_or_batches(images: Path) -> None:
    dataset = open_images(images)
    scores = np.random.default_rng(0).random((4, 2, HEIGHT, WIDTH)).astype(np.float32)
    expected = submission(dataset, scores)
    taken = []

    def batches() -> Iterator[Any]:
        for part in (scores[:3], scores[3]):
            taken.append(len(part))
            yield part

    assert submission(dataset, batches()) == expected
    assert taken == [3, 2]
    assert submission(dataset, scores.tolist()) == expected
    assert submission(dataset, np.log(scores / (1 - scores)), threshold=0.0) != ""
    assert submission(dataset, scores, threshold=1.0) == "ImageId,ClassId,EncodedPixels\n"


def test_names_of_classes_may_be_given(images: Path) -> None:
    dataset = open_images(images)
    text = submission(dataset, np.ones((4, 1, HEIGHT, WIDTH)), class_names="crack, long")
    assert text is not None
    assert text.splitlines()[1] == 'a.jpg,"crack, long",1 3600'


@pytest.mark.parametrize(
    ("predictions", "words"),
    [
        ([zeros()] * 5, "there are more predictions than the 4 examples; give one for each"),
        ([], "there are 0 predictions for 4 examples"),
        (
            [zeros(), zeros(3)],
            r"b.jpg: prediction 1 is of shape \[3, 16, 24\] instead of \[2, 16, 24\] \(classes, height, width\); leave "
            "the channel of the background out",
        ),
        ([zeros()[:, :8]], r"a.jpg: prediction 0 is of shape \[2, 8, 24\] instead .* give one of the example's size"),
        ([zeros()[0]], r"a prediction is of shape \[16, 24\]; give \[classes, H, W\]"),
        ([np.full((2, HEIGHT, WIDTH), np.nan)], "a.jpg: prediction 0 holds NaN"),
    ],
)
def test_wrong_predictions_are_told(images: Path, predictions: list[np.ndarray], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        submission(open_images(images), predictions)


def test_a_dataset_without_views_or_without_the_names_of_its_classes_is_refused(dataset: Path, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"does not record the sizes of its images; set maskmill\.views: true in"):
        submission(open_dataset(dataset), [])
    data = write_dataset(tmp_path / "data", ROWS)
    united = create(tmp_path, data, class_id=[3, 4], train_test_split=1.0, maskmill={"views": True})
    with pytest.raises(ValueError, match=r"its labels unite several classes \(any of 3, 4\): give class_names"):
        submission(open_dataset(united), [])
    assert submission(open_dataset(united), np.zeros((3, 1, HEIGHT, WIDTH)), class_names=["defect"])


def test_labels_that_repeat_their_image_have_no_views(tmp_path: Path) -> None:
    data = write_dataset(tmp_path / "data", ROWS)
    tiled = {"image_shape": [16, 48, 1], "max_image_shape": [16, 24], "maskmill": {"views": True}}
    create(tmp_path, data, status=2, **tiled)


def test_examples_of_an_image_that_are_not_neighbours_are_refused(images: Path) -> None:
    twice = open_images(images)[[0, 1, 0]]
    with pytest.raises(ValueError, match=r"a\.jpg: its examples are not neighbours"):
        submission(twice, [zeros()] * 3)


def test_a_split_without_examples_gives_a_header(tmp_path: Path) -> None:
    data = write_dataset(tmp_path / "data", ROWS)
    path = create(tmp_path, data, train_test_split=1.0, maskmill={"views": True})
    assert submission(open_dataset(path, "eval_input"), [], class_names="3") == "ImageId,ClassId,EncodedPixels\n"


def test_what_is_shown_goes_back_to_its_place_and_padding_goes_nowhere() -> None:
    view = View((10, 30), Box(2, 4, 6, 20), Box(1, 0, 3, 10))
    plane = np.ones((8, 12), np.uint8)
    expected = np.zeros((10, 30), bool)
    expected[2:8, 4:24] = True
    assert np.array_equal(put_back(plane, view), expected)
    assert np.array_equal(put_back(plane.astype(float), view), expected)
    outside = np.ones((8, 12), np.uint8)
    outside[1:4, :10] = 0
    assert not put_back(outside, view).any()


planes = hnp.arrays(np.uint8, hnp.array_shapes(min_dims=2, max_dims=2, max_side=9), elements=st.integers(0, 1))


@given(planes, st.integers(1, 4), st.integers(1, 4))
def test_a_mask_that_is_a_multiple_of_its_example_repeats_its_pixels(plane: np.ndarray, down: int, across: int) -> None:
    height, width = plane.shape
    size = height * down, width * across
    view = View(size, Box(0, 0, *size), Box(0, 0, height, width))
    assert np.array_equal(put_back(plane, view), np.repeat(np.repeat(plane, down, 0), across, 1) > 0)


@given(planes, st.integers(1, 12), st.integers(1, 12))
def test_scores_are_interpolated_between_the_centres_of_pixels(plane: np.ndarray, height: int, width: int) -> None:
    scores = plane.astype(np.float64) * 3 - 1
    found = put_back(scores, View((height, width), Box(0, 0, height, width), Box(0, 0, *plane.shape)), 0.25)
    lines = [np.interp(_centres(plane.shape[1], width), np.arange(plane.shape[1]), line) for line in scores]
    expected = np.stack(
        [np.interp(_centres(plane.shape[0], height), np.arange(plane.shape[0]), line) for line in np.transpose(lines)],
        axis=1,
    )
    clear = np.abs(expected - 0.25) > 1e-4
    assert np.array_equal(found[clear], (expected > 0.25)[clear])


def _centres(size: int, target: int) -> np.ndarray:
    return (np.arange(target) + 0.5) * size / target - 0.5


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_infinite_scores_are_scores(dtype: type) -> None:
    plane = np.array([[-np.inf, np.inf], [-np.inf, np.inf]], dtype)
    mask = put_back(plane, View((4, 4), Box(0, 0, 4, 4), Box(0, 0, 2, 2)), 0.0)
    assert np.array_equal(mask.all(axis=0), [False, False, True, True])


def test_it_is_a_public_name() -> None:
    assert maskmill.submission is submission is importlib.import_module("maskmill.write_submission").submission
