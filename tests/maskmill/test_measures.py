"""Reading the measures of a split: from attributes alone, and what is said where there are none."""

from __future__ import annotations

import os
import pickle
import re
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from maskmill import DatasetError, open_dataset
from maskmill.remote_folder import _Blocks
from maskmill.transforms.examples.label import LabelFormat
from maskmill.transforms.shards.hdf5_file import ShardFile
from tests.support.builders import HEIGHT, WIDTH
from tests.support.datasets import SHARD, edit_shard, make_dataset, write_original
from tests.support.whole_images import encode_whole, form_of


def test_no_image_or_label_is_read(copy: Path) -> None:
    expected = open_dataset(copy)
    areas, statistics = expected.areas.tolist(), expected.statistics

    def overwrite(file: h5py.File) -> None:
        for name in ("example_0", "example_1"):
            file[name]["image"][...] = 0
            del file[name]["label"]

    edit_shard(copy, overwrite)
    found = open_dataset(copy)
    assert found.areas.tolist() == areas
    assert found.statistics.mean == statistics.mean


def test_nothing_is_cached_and_little_is_fetched(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fsspec.implementations.memory import MemoryFileSystem

    pixels = np.zeros((512, 512), np.uint8)
    form = LabelFormat("bce", 2, 512, 512, (3,))
    path = tmp_path / "original" / "train_input" / "preprocessed_data-0_p0.h5"
    path.parent.mkdir(parents=True)
    with ShardFile(str(path), form_of(form)) as file:
        for number in range(40):
            file.append(encode_whole(pixels, pixels + np.uint8(number % 2), form), "a.jpg")
    (tmp_path / "original" / "meta_train_input.dat").write_text(f"/{path.name} 40\n")
    MemoryFileSystem().put(str(tmp_path / "original"), "/measured", recursive=True)
    fetched = []
    fetch = _Blocks._block

    def count(self: Any, number: int) -> memoryview:
        if number not in self._blocks:
            fetched.append(self._block_bytes)
        return fetch(self, number)

    monkeypatch.setattr(_Blocks, "_block", count)
    assert open_dataset("memory://measured").areas.ravel().tolist() == [0, 512 * 512] * 20
    assert 0 < sum(fetched) < path.stat().st_size / 10
    MemoryFileSystem().put(str(dataset), "/cached", recursive=True)
    examples = open_dataset("memory://cached", cache=tmp_path / "cache")
    assert examples.areas.tolist() == open_dataset(dataset).areas.tolist()
    assert not list((tmp_path / "cache").rglob("*.h5"))


def test_they_are_read_once_and_not_pickled(dataset: Path) -> None:
    examples = open_dataset(dataset)
    part = examples[1:]
    size = len(pickle.dumps(examples))
    assert part.areas.tolist() == examples.areas.tolist()[1:]
    os.rename(dataset, f"{dataset}-moved")
    try:
        assert examples.statistics.mean > 0
        assert part.image_hashes.tolist() == examples.image_hashes.tolist()[1:]
    finally:
        os.rename(f"{dataset}-moved", dataset)
    assert len(pickle.dumps(examples)) == size
    assert pickle.loads(pickle.dumps(part)).areas.tolist() == part.areas.tolist()


def test_what_a_caller_changes_is_its_own(dataset: Path) -> None:
    examples = open_dataset(dataset)
    areas = examples.areas
    areas[...] = 77
    assert 77 not in examples.areas


def test_a_dataset_without_them_says_what_to_do(tmp_path: Path, copy: Path) -> None:
    def forget(file: h5py.File) -> None:
        for name in ("areas", "pixel_sums", "image_hashes"):
            del file.attrs[name]

    edit_shard(copy, forget)
    for examples in (open_dataset(write_original(tmp_path / "original")), open_dataset(copy)):
        assert len(examples.read([0]).images) == 1
        for name in ("areas", "image_hashes", "statistics"):
            message = f"{re.escape(SHARD)} has no areas: .* before format version 6, .*make the dataset again"
            with pytest.raises(DatasetError, match=message):
                getattr(examples, name)


@pytest.mark.parametrize("name", ["areas", "pixel_sums", "image_hashes"])
def test_attributes_of_another_number_of_examples_are_damage(copy: Path, name: str) -> None:
    def cut(file: h5py.File) -> None:
        file.attrs[name] = file.attrs[name][:1]

    edit_shard(copy, cut)
    with pytest.raises(DatasetError, match=f"{re.escape(SHARD)} is damaged .*{name}"):
        _ = open_dataset(copy).areas


def test_a_shard_that_was_replaced_or_damaged(copy: Path) -> None:
    examples, damaged = open_dataset(copy), open_dataset(copy)
    size = (copy / SHARD).stat().st_size
    (copy / SHARD).write_bytes(b"another")
    with pytest.raises(DatasetError, match="was replaced after the dataset was opened"):
        _ = examples.areas
    (copy / SHARD).write_bytes(b"x" * size)
    with pytest.raises(DatasetError, match="is damaged"):
        _ = damaged.areas


def test_no_statistics_of_no_examples(dataset: Path) -> None:
    nothing = open_dataset(dataset)[[]]
    assert nothing.areas.shape == (0, 1)
    with pytest.raises(DatasetError, match="train_input, or this part of it, has no examples"):
        _ = nothing.statistics


def test_shards_of_several_ranges_keep_the_order_of_the_examples(tmp_path: Path) -> None:
    examples = open_dataset(make_dataset(tmp_path))
    assert examples.areas[:, 0].tolist() == [int(one.label.sum()) for one in examples]
    share = examples.areas.sum() / (len(examples) * HEIGHT * WIDTH)
    assert examples.statistics.pixel_share.tolist() == [share]
