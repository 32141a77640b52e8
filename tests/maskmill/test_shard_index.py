"""Where the examples of a shard stand in its file."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from maskmill.shard_index import DAMAGE, ArrayIndex, ShardIndex, index_shard

ARRAY = np.arange(6 * 10, dtype="<f4").reshape(1, 6, 10)


def write(path: Path, *arrays: dict[str, Any], image_ids: list[str] | None = None) -> Path:
    """A shard whose examples have these images and labels, each by the arguments of `create_dataset`."""
    with h5py.File(path, "w") as file:
        file.attrs["n_examples"] = len(arrays)
        if image_ids is not None:
            file.attrs["image_ids"] = np.array([name.encode() for name in image_ids])
        for index, label in enumerate(arrays):
            file.create_dataset(f"example_{index}/image", data=ARRAY.astype("u1") + index)
            file.create_dataset(f"example_{index}/label", **{"data": ARRAY + index, **label})
    return path


def index(path: Path, examples: int = 2) -> ShardIndex:
    with h5py.File(path) as file:
        return index_shard(file, examples)


def read(path: Path, where: ArrayIndex, example: int) -> np.ndarray:
    """An array, from the bytes of the file."""
    content, found = path.read_bytes(), np.empty(where.shape, where.dtype)
    for corner, (start, size) in zip(where.chunks, where.places[example].tolist(), strict=True):
        part = content[start : start + size]
        shape = where.chunk_shape or where.shape
        chunk = np.frombuffer(part if where.chunk_shape is None else zlib.decompress(part), where.dtype).reshape(shape)
        place = tuple(slice(first, first + length) for first, length in zip(corner, shape, strict=True))
        found[place] = chunk[tuple(map(slice, found[place].shape))]
    return found


@pytest.mark.parametrize(
    ("label", "parts"),
    [
        ({}, 1),
        ({"chunks": (1, 6, 10), "compression": "gzip"}, 1),
        ({"chunks": (1, 2, 10), "compression": "gzip"}, 3),
        ({"chunks": (1, 4, 7), "compression": "gzip"}, 4),
    ],
)
def test_arrays_stand_where_the_index_says(tmp_path: Path, label: dict[str, Any], parts: int) -> None:
    path = write(tmp_path / "a.h5", label, label)
    found = index(path)
    assert found.image is not None
    assert found.label is not None
    assert found.label.places.shape == (2, parts, 2)
    for example in range(2):
        assert np.array_equal(read(path, found.image, example), ARRAY + example)
        assert np.array_equal(read(path, found.label, example), ARRAY + example)


@pytest.mark.parametrize(
    "labels",
    [
        [{"chunks": (1, 6, 10)}] * 2,
        [{"compression": "lzf"}] * 2,
        [{"compression": "gzip", "shuffle": True}] * 2,
        [{"compression": "gzip", "fletcher32": True}] * 2,
        [{}, {"compression": "gzip"}],
        [{}, {"data": ARRAY.astype("f8")}],
        [{}, {"data": ARRAY[:, :5]}],
        [{"chunks": (1, 2, 10), "compression": "gzip"}, {"chunks": (1, 3, 10), "compression": "gzip"}],
    ],
)
def test_what_is_stored_in_another_way_is_left_to_hdf5(tmp_path: Path, labels: list[dict[str, Any]]) -> None:
    found = index(write(tmp_path / "a.h5", *labels))
    assert found.label is None
    assert found.image is not None


def test_images_are_named_where_the_file_names_them(tmp_path: Path) -> None:
    assert index(write(tmp_path / "a.h5", {}, {}, image_ids=["ä.jpg", "b.jpg"])).image_ids == ("ä.jpg", "b.jpg")
    assert index(write(tmp_path / "b.h5", {}, {})).image_ids == ()


def test_a_shard_may_be_empty(tmp_path: Path) -> None:
    assert index(write(tmp_path / "a.h5"), 0) == ShardIndex(None, None, ())


@pytest.mark.parametrize("examples", [0, 1, 3])
def test_another_number_of_examples_is_damage(tmp_path: Path, examples: int) -> None:
    with pytest.raises(ValueError, match=f"it has 2 examples instead of {examples}"):
        index(write(tmp_path / "a.h5", {}, {}), examples)


@pytest.mark.parametrize("name", ["example_1", "example_0/label", "example_1/image"])
def test_what_is_missing_is_damage(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / "a.h5", {}, {})
    with h5py.File(path, "a") as file:
        del file[name]
    with pytest.raises(DAMAGE):
        index(path)
