"""What examples show of their images is recorded, read and checked."""

from __future__ import annotations

import pickle
from pathlib import Path

import h5py
import numpy as np
import pytest

from maskmill import open_dataset
from maskmill.transforms.examples.label import LabelFormat
from maskmill.transforms.shards.check_shard import Sums, arrays_of, check_shard
from maskmill.transforms.shards.encode_example import encode_example
from maskmill.transforms.shards.hdf5_file import ShardFile
from maskmill.views import Box, View, empty_views, mark_padding
from tests.support.builders import grey_pixels
from tests.support.whole_images import form_of

LABEL = LabelFormat("bce", 2, 16, 24, (3,))
FORM = form_of(LABEL)._replace(records_views=True)
VIEWS = [View((20, 100), Box(0, 10 * number, 20, 30), Box(number, 0, 10, 24)) for number in range(5)]


def write(folder: Path, views: list[View] = VIEWS) -> Path:
    """A split of one shard, as a folder of the original."""
    path = folder / "train_input" / "data-0_p0.h5"
    path.parent.mkdir(parents=True)
    with ShardFile(str(path), FORM) as file:
        for seed, view in enumerate(views):
            file.append(encode_example(grey_pixels(seed)[np.newaxis], grey_pixels(seed) % 2, view, FORM), f"{seed}.jpg")
    (folder / "meta_train_input.dat").write_text(f"/{path.name} {len(views)}\n")
    return path


def check(path: Path) -> list[str]:
    with h5py.File(path) as file:
        areas, pixel_sums = (file.attrs[name].sum(0).tolist() for name in ("areas", "pixel_sums"))
    sums = Sums(areas, pixel_sums, [len(VIEWS) * 10 * 24])
    return check_shard(str(path), len(VIEWS), arrays_of(FORM), FORM, sums)


def test_examples_batches_and_datasets_have_their_views(tmp_path: Path) -> None:
    write(tmp_path)
    dataset = open_dataset(tmp_path)
    assert [dataset[index].view for index in range(5)] == VIEWS
    image, label, image_id = dataset[3]
    assert (image.shape, label.shape, image_id) == ((1, 16, 24), (1, 16, 24), "3.jpg")
    batch = dataset.read([4, 0, 4])
    assert batch.views is not None
    assert [batch.views.of(row) for row in range(3)] == [VIEWS[4], VIEWS[0], VIEWS[4]]
    assert dataset.views is not None
    assert [dataset.views.of(row) for row in range(5)] == VIEWS
    part = dataset[[2, 1]].views
    assert part is not None
    assert [part.of(row) for row in range(2)] == [VIEWS[2], VIEWS[1]]
    assert pickle.loads(pickle.dumps(dataset[1])).view == VIEWS[1]


def test_without_recorded_views_there_are_none(dataset: Path) -> None:
    examples = open_dataset(dataset)
    assert examples.views is None
    assert examples[0].view is None
    assert examples.read([0, 1]).views is None


@pytest.mark.parametrize(
    ("name", "row", "value", "problem"),
    [
        ("shown", 1, [0, 80, 20, 30], "example_1: its box shown, [0, 80, 20, 30], is not in [20, 100]"),
        ("shown", 2, [0, 0, 0, 30], "example_2: its box shown, [0, 0, 0, 30], is not in [20, 100]"),
        ("valid", 4, [-1, 0, 10, 24], "example_4: its box valid, [-1, 0, 10, 24], is not in [16, 24]"),
        ("valid", 0, [7, 0, 10, 24], "example_0: its box valid, [7, 0, 10, 24], is not in [16, 24]"),
        ("image_sizes", 0, [20, 29], "example_0: its box shown, [0, 0, 20, 30], is not in [20, 29]"),
    ],
)
def test_a_box_outside_of_its_image_or_example_is_found(
    tmp_path: Path, name: str, row: int, value: list[int], problem: str
) -> None:
    path = write(tmp_path)
    assert check(path) == []
    with h5py.File(path, "r+") as file:
        values = file.attrs[name]
        values[row] = value
        file.attrs[name] = values
    assert check(path) == [problem]


def test_a_shard_without_the_views_that_it_should_have_is_found(tmp_path: Path) -> None:
    path = write(tmp_path)
    with h5py.File(path, "r+") as file:
        del file.attrs["valid"]
        file.attrs["shown"] = np.zeros((5, 3), "<i4")
    assert check(path) == [
        "its attribute shown is int32 [5, 3] instead of int32 [5, 4]",
        "has no attribute valid",
    ]


@pytest.mark.parametrize("shape", [(16, 24), (1, 16, 24), (3, 16, 24)])
def test_labels_are_marked_where_the_image_is_padded(shape: tuple[int, ...]) -> None:
    labels = np.random.default_rng(1).integers(0, 2, (2, *shape)).astype(np.int32)
    views = empty_views(2)
    views.valid[:] = [[3, 0, 10, 24], [0, 0, 16, 24]]
    marked = labels.copy()
    mark_padding(marked, views, -100)
    assert np.array_equal(marked[1], labels[1])
    assert np.array_equal(marked[0, ..., 3:13, :], labels[0, ..., 3:13, :])
    assert (marked[0, ..., :3, :] == -100).all()
    assert (marked[0, ..., 13:, :] == -100).all()
