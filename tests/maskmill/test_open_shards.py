"""The shards that a process has open: its own, not too many, and the files that they were."""

from __future__ import annotations

import os
import resource
from pathlib import Path

import h5py
import numpy as np
import pytest

from maskmill import DatasetError, open_dataset
from tests.support.datasets import SHARD, edit_shard


def test_a_fork_does_not_read_from_its_parents_files(dataset: Path) -> None:
    examples = open_dataset(dataset)
    reader = examples._open.reader(examples._shards[0])
    child = os.fork()
    if not child:
        os._exit(examples._open.reader(examples._shards[0]) is reader)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_not_more_than_so_many_files_are_open(dataset: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (8, 1024))
    examples = open_dataset(dataset)

    def open_files() -> int:
        links = (os.readlink(link) for link in Path("/proc/self/fd").iterdir() if link.is_symlink())
        return sum(link.startswith(str(dataset)) for link in links)

    assert len(list(examples)) == 5
    assert open_files() == 2  # A quarter.
    assert examples.read([4, 3, 2, 1, 0]).image_ids == ["f.jpg", "e.jpg", "d.jpg", "c.jpg", "a.jpg"]
    assert open_files() == 2
    examples.close()
    assert open_files() == 0
    assert examples[0].image_id == "a.jpg"


def test_a_shard_with_fewer_examples_than_the_manifest_says(copy: Path) -> None:
    edit_shard(copy, lambda file: file.attrs.modify("n_examples", np.int64(1)))
    with pytest.raises(DatasetError, match=rf"{SHARD} is damaged \(it has 1 examples instead of 2\)"):
        open_dataset(copy)[0]


def test_a_label_whose_bytes_are_damaged(copy: Path) -> None:
    with h5py.File(copy / SHARD) as file:
        place = file["example_0/label"].id.get_chunk_info(0)
    content = bytearray((copy / SHARD).read_bytes())
    content[place.byte_offset : place.byte_offset + place.size] = bytes(place.size)
    (copy / SHARD).write_bytes(content)
    with pytest.raises(DatasetError, match=f"{SHARD}: the label of example 0 cannot be read"):
        open_dataset(copy)[0]


def test_a_shard_that_was_replaced_since(copy: Path) -> None:
    examples = open_dataset(copy)
    (copy / SHARD).write_bytes(b"another")
    for _ in range(2):
        with pytest.raises(DatasetError, match=f"{SHARD} was replaced after the dataset was opened; open it again"):
            examples[0]


def test_a_shard_that_was_replaced_by_one_of_the_same_size_while_it_was_closed(copy: Path, tmp_path: Path) -> None:
    examples = open_dataset(copy)
    assert examples[0].image_id == "a.jpg"
    examples.close()
    assert examples[0].image_id == "a.jpg"
    (tmp_path / "other").write_bytes((copy / SHARD).read_bytes())
    os.replace(tmp_path / "other", copy / SHARD)
    assert examples[0].image_id == "a.jpg"  # It is still open.
    examples.close()
    for _ in range(2):
        with pytest.raises(DatasetError, match=f"{SHARD} was replaced after the dataset was opened; open it again"):
            examples[0]
