"""Predictions for crops become predictions for images, whatever their form; wrong ones are refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from maskmill import Dataset, DatasetError, open_dataset, stitch
from maskmill.stitching import restore
from maskmill.views import Box, View
from tests.support.builders import HEIGHT, WIDTH, write_dataset
from tests.support.command import create

# In two images, the crops of one row overlap by a half.
CROPS = {"size": [8, 12], "stride": [8, 6], "source": [HEIGHT, WIDTH]}
LEFTS, TOPS = (0, 6, 12), (0, 8)


@pytest.fixture(name="dataset", scope="module")
def make(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stitch")
    data = write_dataset(folder / "data", ["a.jpg,3,1 2", "b.jpg,3,20 4", "c.jpg,3,100 9"])
    return create(folder, data, image_shape=[8, 12, 1], train_test_split=0.67, maskmill={"crops": CROPS})


@pytest.fixture(name="examples")
def open_examples(dataset: Path) -> Dataset:
    return open_dataset(dataset)


def numbered(examples: Dataset, dtype: Any = np.float32, *channels: int) -> Iterator[np.ndarray]:
    """For each example an array of its index."""
    return (np.full((*channels, 8, 12), index, dtype) for index in range(len(examples)))


def overlapping(function: Any) -> np.ndarray:
    """What is expected of `numbered` for the first image."""
    expected = np.zeros((HEIGHT, WIDTH))
    for row, top in enumerate(TOPS):
        for place in range(4):
            covering = [3 * row + column for column, left in enumerate(LEFTS) if left <= 6 * place < left + 12]
            expected[top : top + 8, 6 * place : 6 * place + 6] = function(covering)
    return expected


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_floats_are_averaged_where_crops_overlap(examples: Dataset, dtype: Any) -> None:
    first, second = stitch(examples, numbered(examples, dtype))
    assert (first.image_id, second.image_id) == ("a.jpg", "b.jpg")
    assert first.prediction.dtype == (np.float64 if dtype == np.float64 else np.float32)
    assert np.array_equal(first.prediction, overlapping(np.mean))
    assert np.array_equal(second.prediction, overlapping(np.mean) + 6)


@pytest.mark.parametrize("dtype", [np.int64, np.uint8])
def test_of_integers_the_largest_counts(examples: Dataset, dtype: Any) -> None:
    first, _ = stitch(examples, numbered(examples, dtype))
    assert first.prediction.dtype == dtype
    assert np.array_equal(first.prediction, overlapping(max))
    negative, _ = stitch(examples, (-one.astype(np.int64) for one in numbered(examples)))
    assert np.array_equal(negative.prediction, -overlapping(min))


def test_of_booleans_each_true_counts(examples: Dataset) -> None:
    first, _ = stitch(examples, (one == 1 for one in numbered(examples)))
    assert first.prediction.dtype == bool
    assert np.array_equal(first.prediction, overlapping(lambda covering: 1 in covering))


@pytest.mark.parametrize("channels", [(), (1,), (3,)])
@pytest.mark.parametrize("size", [None, 1, 4, 12, 100])
def test_predictions_come_one_by_one_or_in_batches(
    examples: Dataset, channels: tuple[int, ...], size: int | None
) -> None:
    single = list(numbered(examples, np.float32, *channels))
    batches = [np.stack(single[start : start + size]) for start in range(0, len(single), size)] if size else single
    found = list(stitch(examples, batches, batched=size is not None))
    assert [one.prediction.shape for one in found] == [(*channels, HEIGHT, WIDTH)] * 2
    for one, index in zip(found, (0, 6), strict=True):
        assert (one.prediction == overlapping(np.mean) + index).all()
    if channels:
        assert [one.image_id for one in stitch(examples, batches)] == ["a.jpg", "b.jpg"]
    # A whole array is a sequence of predictions, and so are lists.
    [whole, _] = stitch(examples, np.stack(single))
    assert np.array_equal(whole.prediction, found[0].prediction)


def test_pixels_without_an_example_are_filled(examples: Dataset) -> None:
    part = examples[[0, 5]]
    [one] = stitch(part, [np.ones((8, 12)), np.ones((8, 12))], fill=-9)
    assert (one.prediction[:8, :12] == 1).all()
    assert (one.prediction[8:, 12:] == 1).all()
    assert (one.prediction[8:, :12] == one.prediction[:8, 12:]).all()
    assert one.prediction[0, 12] == -9
    [integers] = stitch(part, [np.ones((8, 12), int), np.ones((8, 12), int)], fill=255)
    assert integers.prediction[0, 12] == 255


def test_one_image_is_in_memory_at_a_time(examples: Dataset) -> None:
    taken: list[int] = []

    def predictions() -> Iterator[np.ndarray]:
        for index, one in enumerate(numbered(examples)):
            taken.append(index)
            yield one

    stitched = stitch(examples, predictions())
    next(stitched)
    assert taken == [*range(6)]


@pytest.mark.parametrize(
    ("predictions", "problem"),
    [
        ([np.zeros((8, 12))] * 11, "there are 11 predictions for 12 examples; if each of them is a batch, set batched"),
        ([np.zeros((8, 12))] * 13, "there are more predictions than the 12 examples"),
        ([np.zeros((16, 24))] * 12, r"prediction 0, for a\.jpg, has the shape \[16, 24\] instead of \[8, 12\] or "),
        ([np.zeros(8)] * 12, r"has the shape \[8\]"),
        ([np.zeros((6, 8, 12))] * 2, "there are 2 predictions for 12 examples; if each of them is a batch"),
        ([np.zeros((8, 12)), np.zeros((1, 8, 12))] * 6, r"a\.jpg: prediction 1 is float64 \[1, 8, 12\], and the one"),
        ([np.zeros((8, 12)), np.zeros((8, 12), int)] * 6, r"a\.jpg: prediction 1 is int64 \[8, 12\], and the one"),
    ],
)
def test_wrong_predictions_are_refused(examples: Dataset, predictions: list[np.ndarray], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        list(stitch(examples, predictions))


def test_a_part_in_another_order_is_refused_before_anything_is_predicted(examples: Dataset) -> None:
    with pytest.raises(ValueError, match=r"a\.jpg: its examples are not neighbours"):
        stitch(examples[[0, 6, 1]], [])
    assert [one.image_id for one in stitch(examples[::-1], numbered(examples))] == ["b.jpg", "a.jpg"]


def test_a_dataset_that_records_no_views_is_refused(tmp_path: Path) -> None:
    output = create(tmp_path, write_dataset(tmp_path / "data", ["a.jpg,3,1 2", "b.jpg,3,1 2"]))
    with pytest.raises(DatasetError):
        stitch(open_dataset(output), [])


def test_what_an_example_repeats_or_pads_is_left_out() -> None:
    prediction = np.arange(2 * 4 * 6).reshape(2, 4, 6)
    view = View((10, 10), Box(3, 4, 2, 5), Box(1, 0, 2, 5))
    assert np.array_equal(restore(prediction, view), prediction[:, 1:3, :5])


def test_integers_are_resized_to_the_nearest_neighbour() -> None:
    view = View((4, 6), Box(0, 0, 4, 6), Box(0, 0, 2, 3))
    found = restore(np.array([[1, 2, 3], [4, 5, 6]]), view)
    assert found.tolist() == [[1, 1, 2, 2, 3, 3]] * 2 + [[4, 4, 5, 5, 6, 6]] * 2
    smaller = restore(found, View((2, 3), Box(0, 0, 2, 3), Box(0, 0, 4, 6)))
    assert smaller.tolist() == [[1, 2, 3], [4, 5, 6]]
    assert restore(found > 3, view._replace(valid=Box(0, 0, 4, 6))).dtype == bool


def test_floats_are_resized_by_interpolation_between_the_middles_of_pixels() -> None:
    view = View((1, 4), Box(0, 0, 1, 4), Box(0, 0, 1, 2))
    assert restore(np.array([[0.0, 1.0]], np.float32), view).tolist() == [[0.0, 0.25, 0.75, 1.0]]
    columns = restore(np.array([[[0.0], [1.0]]]), View((4, 1), Box(0, 0, 4, 1), Box(0, 0, 2, 1)))
    assert columns.tolist() == [[[0.0], [0.25], [0.75], [1.0]]]
    # A plane stays a plane, but for its rim.
    rows, across = np.mgrid[:5, :7]
    plane = restore((rows + 2.0 * across)[np.newaxis], View((50, 70), Box(0, 0, 50, 70), Box(0, 0, 5, 7)))
    assert np.allclose(np.diff(plane[0, 5:-5, 5:-5], axis=0), 0.1)
    assert np.allclose(np.diff(plane[0, 5:-5, 5:-5], axis=1), 0.2)
