"""Where the examples of a shard stand in its file."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from maskmill import shard_index
from maskmill.catalog import Shard
from maskmill.folder import LocalFolder
from maskmill.shard_index import DAMAGE, ArrayIndex, ShardIndex, index_shard
from maskmill.shard_reader import ShardReader

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


def write_rows(path: Path, image: dict[str, Any], label: dict[str, Any], examples: int = 2) -> Path:
    """The same examples in rows of two arrays."""
    rows = np.stack([ARRAY + index for index in range(examples)]) if examples else np.empty((0, *ARRAY.shape), "<f4")
    with h5py.File(path, "w", libver=("v110", "v110")) as file:
        file.attrs["n_examples"] = examples
        file.create_dataset("images", **{"data": rows.astype("u1"), "chunks": (1, *ARRAY.shape), **image})
        file.create_dataset("labels", **{"data": rows, **label})
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


ROWS = {"chunks": (1, 1, 6, 10), "compression": "gzip"}


@pytest.mark.parametrize("most", [5, 2000, None])
@pytest.mark.parametrize(("label", "parts"), [(ROWS, 1), ({**ROWS, "chunks": (1, 1, 4, 7)}, 4)])
def test_rows_stand_where_the_index_says(tmp_path: Path, label: dict[str, Any], parts: int, most: int | None) -> None:
    maxshape = (most, *ARRAY.shape)
    path = write_rows(tmp_path / "a.h5", {"maxshape": maxshape}, {**label, "maxshape": maxshape}, 5)
    found = index(path, 5)
    assert found.image is not None
    assert found.label is not None
    assert (found.image.chunk_shape, found.label.chunk_shape) == (None, label["chunks"][1:])
    assert found.label.places.shape == (5, parts, 2)
    for example in range(5):
        assert np.array_equal(read(path, found.image, example), ARRAY + example)
        assert np.array_equal(read(path, found.label, example), ARRAY + example)


def test_rows_are_found_without_the_function_that_lists_chunks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_rows(tmp_path / "a.h5", {}, {**ROWS, "chunks": (1, 1, 4, 7)})
    with h5py.File(path) as file:
        label, corners = file["labels"].id, ((0, 0, 0), (0, 0, 7), (0, 4, 0), (0, 4, 7))
        expected = shard_index._list_chunks(label, corners)
        monkeypatch.setattr(shard_index, "hasattr", lambda *_: False, raising=False)
        assert shard_index._list_chunks(label, corners) == expected


@pytest.mark.parametrize(
    "label",
    [
        {"chunks": (1, 1, 6, 10)},
        {**ROWS, "chunks": (2, 1, 6, 10)},
        {**ROWS, "compression": "lzf"},
        {**ROWS, "shuffle": True},
        {},
    ],
    ids=str,
)
def test_rows_that_are_stored_in_another_way_are_read_all_the_same(tmp_path: Path, label: dict[str, Any]) -> None:
    path = write_rows(tmp_path / "a.h5", {}, label)
    reader = ShardReader(LocalFolder(str(tmp_path)), Shard(path.name, 2, None))
    target = np.empty(ARRAY.shape, "<f4")
    for example in range(2):
        reader.read_into(target, example, "label")
        assert np.array_equal(target, ARRAY + example)
    assert reader.form("label") == (ARRAY.dtype, ARRAY.shape)
    reader.close()


def test_arrays_may_have_no_rows(tmp_path: Path) -> None:
    most = {"maxshape": (1, *ARRAY.shape)}
    assert index(write_rows(tmp_path / "a.h5", most, {**ROWS, **most}, 0), 0) == ShardIndex(None, None, ())


def put_a_group(file: h5py.File) -> None:
    del file["labels"]
    file.create_group("labels")


def drop_chunk(file: h5py.File) -> None:
    """Leaves the last row of the labels without its chunk."""
    file["labels"].resize(1, axis=0)
    file["labels"].resize(2, axis=0)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda file: file.__delitem__("labels"), "labels"),
        (put_a_group, "not a dataset"),
        (lambda file: file["labels"].resize(1, axis=0), "it has 1 labels instead of 2"),
        (drop_chunk, "labels has 1 chunks instead of 2"),
    ],
    ids=["no labels", "a group", "a row too few", "no chunk"],
)
def test_rows_that_are_missing_are_damage(tmp_path: Path, damage: Callable[[h5py.File], Any], message: str) -> None:
    path = write_rows(tmp_path / "a.h5", {}, {**ROWS, "maxshape": (2, *ARRAY.shape)})
    with h5py.File(path, "a") as file:
        damage(file)
    with pytest.raises(DAMAGE, match=message):
        index(path)
