"""Examples of one shard."""

from __future__ import annotations

import io
import os
import re
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from maskmill import DatasetError
from maskmill.catalog import Shard
from maskmill.folder import LocalFolder, OpenFile, folder_of, read_in_order
from maskmill.shard_reader import ShardReader
from tests.support.builders import HEIGHT, WIDTH
from tests.support.datasets import example, write_shard

PATH = "train_input/data-0_p0.h5"
LABEL = np.random.default_rng(0).integers(0, 2, (1, HEIGHT, WIDTH)).astype("<f4")
STORAGE: dict[str, dict[str, Any]] = {
    "as it is": {},
    "deflated": {"chunks": (1, 7, 11), "compression": "gzip"},
    "by HDF5": {"compression": "lzf"},
}


def reader(root: Path, examples: int = 2, size: int | None = None) -> ShardReader:
    return ShardReader(folder_of(str(root)), Shard(PATH, examples, size))


@pytest.fixture(name="root", params=STORAGE)
def write(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A shard of two examples, whose labels are stored in one way."""
    write_shard(tmp_path / PATH, [example(), example()])
    with h5py.File(tmp_path / PATH, "a") as file:
        for index in range(2):
            del file[f"example_{index}/label"]
            file.create_dataset(f"example_{index}/label", data=LABEL + index, **STORAGE[request.param])
    return tmp_path


@pytest.mark.parametrize("dtype", ["<f4", "u1", "f8"])
def test_arrays_are_read_and_converted(root: Path, dtype: str) -> None:
    one = reader(root)
    for index in (1, 0):
        target = np.full(LABEL.shape, 9, dtype)
        one.read_into(target, index, "label")
        assert np.array_equal(target, (LABEL + index).astype(dtype))
    assert one.form("label") == (np.dtype("<f4"), LABEL.shape)
    assert one.form("image") == (np.dtype("u1"), (1, HEIGHT, WIDTH))


def test_it_reads_on_after_it_was_closed(root: Path) -> None:
    one = reader(root)
    one.close()
    target = np.empty_like(LABEL)
    one.read_into(target, 1, "label")
    assert np.array_equal(target, LABEL + 1)


def test_another_shape_is_an_error(root: Path) -> None:
    with pytest.raises(DatasetError, match=f"{PATH}: the label of example 0 cannot be read: "):
        reader(root).read_into(np.empty((1, 3, 5), "<f4"), 0, "label")


def test_a_file_of_another_size_is_not_the_one_that_was_listed(root: Path) -> None:
    size = (root / PATH).stat().st_size
    assert reader(root, size=size).image_ids == ()
    with pytest.raises(DatasetError, match=f"{PATH} was replaced after the dataset was opened"):
        reader(root, size=size + 1)


@pytest.mark.parametrize("content", [b"", b"no HDF5", bytes(5000)])
def test_what_is_no_hdf5_is_damaged(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "train_input").mkdir()
    (tmp_path / PATH).write_bytes(content)
    with pytest.raises(DatasetError, match=rf"{PATH} is damaged \(.*; copy the dataset again, or make it again"):
        reader(tmp_path)


class Failing(LocalFolder):
    """A folder whose files fail as those of a store or of a disk do, when they are opened or when they are read."""

    def __init__(self, path: str, error: OSError, *, opened: bool) -> None:
        super().__init__(path)
        self.error = error
        self.opened = opened

    def open(self, path: str) -> OpenFile:
        if not self.opened:
            raise self.error
        file = super().open(path)
        file.for_hdf5 = lambda *_: FailingFile(self.error)  # type: ignore[method-assign, assignment, return-value]
        return file


class FailingFile(io.BytesIO):
    def __init__(self, error: OSError) -> None:
        super().__init__(bytes(5000))
        self.error = error

    def readinto(self, _: object) -> int:
        raise self.error


@pytest.mark.parametrize("opened", [False, True])
@pytest.mark.parametrize("error", [TimeoutError("timed out"), PermissionError(13, "denied"), OSError(5, "I/O error")])
def test_a_system_or_store_that_fails_is_not_taken_for_a_damaged_file(root: Path, error: OSError, opened: bool) -> None:
    with pytest.raises(type(error), match=re.escape(str(error))):
        ShardReader(Failing(str(root), error, opened=opened), Shard(PATH, 2, None))


def test_bytes_that_are_cut_off_are_an_error(root: Path) -> None:
    one = reader(root)
    os.truncate(root / PATH, 100)
    with pytest.raises(DatasetError, match=f"{PATH}: (the label of )?example 1 cannot be read: "):
        one.read_into(np.empty_like(LABEL), 1, "label")


# HDF5 places small arrays where there is room: what is between may also come elsewhere.
@pytest.mark.parametrize(
    ("order", "between", "reads"),
    [
        (("image", "label"), 0, {1}),
        (("label", "image"), 0, {1}),
        (("image", "label"), 3, {1, 2}),
        (("image", "label"), 20, {2}),
        (("label", "image"), 20, {1, 2}),
    ],
)
def test_arrays_may_be_in_any_order_and_far_from_each_other(
    tmp_path: Path, order: tuple[str, str], between: int, reads: set[int]
) -> None:
    image = np.arange(HEIGHT * WIDTH, dtype="u1").reshape(1, HEIGHT, WIDTH)
    arrays = {"image": image, "label": LABEL}
    others = {f"other {number}": np.zeros(1000, "u1") for number in range(between)}
    write_shard(tmp_path / PATH, [{order[0]: arrays[order[0]], **others, order[1]: arrays[order[1]]}])
    found = {"image": np.empty_like(image), "label": np.empty_like(LABEL)}
    begun = reader(tmp_path, examples=1).begin(0, found)
    assert len(begun.reads) in reads
    read_in_order(begun.reads)
    begun.finish()
    assert np.array_equal(found["image"], image)
    assert np.array_equal(found["label"], LABEL)
