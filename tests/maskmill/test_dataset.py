"""The reader: a finished dataset by position, in batches and in other processes, and one that is not whole."""

from __future__ import annotations

import json
import multiprocessing
import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from maskmill import Dataset, DatasetError, open_dataset
from maskmill.format_version import current_format
from maskmill.pipeline.verify.verify_dataset import verify
from tests.support.builders import HEIGHT, WIDTH, write_dataset
from tests.support.command import ROOT, create
from tests.support.datasets import SHARD, example, make_dataset, write_original, write_shard


def ids(examples: Dataset) -> list[str]:
    return [one.image_id for one in examples]


def test_examples_stand_in_the_order_of_the_csv_without_the_rejected_one(dataset: Path) -> None:
    assert ids(open_dataset(dataset)) == ["a.jpg", "c.jpg", "d.jpg", "e.jpg", "f.jpg"]
    assert ids(open_dataset(dataset, split="eval_input")) == ["g.jpg", "h.jpg", "i.jpg"]


def test_arrays_are_those_of_the_files(dataset: Path) -> None:
    first, third = open_dataset(dataset)[0], open_dataset(dataset)[-1]
    with h5py.File(dataset / SHARD) as file:
        assert np.array_equal(first.image, file["example_0/image"][()])
        assert np.array_equal(first.label, file["example_0/label"][()])
    assert (first.image.dtype, first.label.dtype) == (np.uint8, np.float32)
    assert first.label.any()
    first.label[...] = third.image[...] = 7  # They may be changed, as those of HDF5.


@pytest.mark.parametrize(("loss", "num_classes"), [("multilabel_bce", 3), ("ssce", 2)])
def test_labels_of_every_loss(tmp_path: Path, loss: str, num_classes: int) -> None:
    dataset = make_dataset(tmp_path, loss=loss, num_classes=num_classes)
    examples = open_dataset(dataset)
    with h5py.File(dataset / SHARD) as file:
        expected = file["example_0/label"]
        assert np.array_equal(examples[0].label, expected[()])
        assert (examples.label_shape, examples.label_dtype) == (expected.shape, expected.dtype)


def test_labels_that_are_deflated_in_several_chunks(tmp_path: Path) -> None:
    label = np.random.default_rng(0).integers(0, 2, (1, HEIGHT, WIDTH)).astype("<f4")
    write_original(tmp_path)
    with h5py.File(tmp_path / SHARD, "a") as file:
        for index in range(2):
            del file[f"example_{index}/label"]
            file.create_dataset(f"example_{index}/label", data=label, chunks=(1, 7, 11), compression="gzip")
    assert np.array_equal(open_dataset(tmp_path)[0].label, label)


@pytest.mark.parametrize(
    "storage", [{"compression": "lzf"}, {"compression": "gzip", "shuffle": True}, {"chunks": True}]
)
def test_what_is_stored_in_another_way_is_read_by_hdf5(tmp_path: Path, storage: dict[str, Any]) -> None:
    write_original(tmp_path)
    label = np.arange(HEIGHT * WIDTH, dtype="<f4").reshape(1, HEIGHT, WIDTH)
    with h5py.File(tmp_path / SHARD, "a") as file:
        for index in range(2):
            del file[f"example_{index}/label"]
            file.create_dataset(f"example_{index}/label", data=label, **storage)
    examples = open_dataset(tmp_path, label_dtype="u2")
    assert np.array_equal(examples[0].label, label.astype("u2"))


def test_a_dataset_of_the_original(tmp_path: Path) -> None:
    write_original(tmp_path)
    label = np.ones((1, HEIGHT, WIDTH), "<f4")
    second = "train_input/preprocessed_data-1_p0.h5"
    write_shard(tmp_path / second, [example(label=label)])
    examples = open_dataset(tmp_path)
    assert [int(one.label.max()) for one in examples] == [0, 1, 0]
    assert ids(examples) == ["", "", ""]
    assert len(open_dataset(tmp_path, "eval_input")) == 1


def test_an_original_of_several_ranges_is_read_range_by_range_and_in_turn_within_one(tmp_path: Path) -> None:
    # Two ranges of 8 positions and 6 shards each; in the order of names number 10 comes before number 2.
    shards: dict[str, list[int]] = {}
    for position in range(16):
        span, place = divmod(position, 8)
        shards.setdefault(f"{place % 6 + 6 * span}_p{span}", []).append(position)
    for name, positions in shards.items():
        images = [np.full((1, HEIGHT, WIDTH), position, "u1") for position in positions]
        write_shard(tmp_path / f"train_input/data-{name}.h5", [example(image=image) for image in images])
    lines = [f"/cb/out/train_input/data-{name}.h5 {len(positions)}\n" for name, positions in sorted(shards.items())]
    (tmp_path / "meta_train_input.dat").write_text("".join(lines))
    assert [int(one.image.max()) for one in open_dataset(tmp_path)] == list(range(16))


def test_parts_by_slices_and_by_positions(dataset: Path) -> None:
    examples = open_dataset(dataset)
    assert ids(examples[1:-1]) == ["c.jpg", "d.jpg", "e.jpg"]
    assert ids(examples[1:][::2]) == ["c.jpg", "e.jpg"]
    assert ids(examples[np.array([4, 0])]) == ["f.jpg", "a.jpg"]
    assert (len(examples[5:]), len(examples), examples[-1].image_id) == (0, 5, "f.jpg")
    for position in (5, -6):
        with pytest.raises(IndexError):
            examples[position]


def test_batches_hold_every_example_once(dataset: Path) -> None:
    examples = open_dataset(dataset)
    batches = list(examples.batches(2))
    assert [batch.image_ids for batch in batches] == [["a.jpg", "c.jpg"], ["d.jpg", "e.jpg"], ["f.jpg"]]
    assert (batches[0].images.shape, batches[0].labels.shape) == ((2, 1, HEIGHT, WIDTH), (2, 1, HEIGHT, WIDTH))
    assert np.array_equal(batches[1].images[1], examples[3].image)
    assert [len(batch.image_ids) for batch in examples.batches(2, drop_last=True)] == [2, 2]
    assert [len(batch.image_ids) for batch in examples.batches(5, drop_last=True)] == [5]


def test_an_example_is_one_read_and_a_batch_reads_by_place_in_the_files(
    dataset: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(file: int, targets: Any, offset: int) -> int:
        reads.append((os.readlink(f"/proc/self/fd/{file}"), offset))
        return preadv(file, targets, offset)

    reads: list[tuple[str, int]] = []
    preadv = os.preadv
    examples = open_dataset(dataset)
    batch = examples.read([4, 0, 3, 1, 2])
    monkeypatch.setattr(os, "preadv", read)
    again = examples.read([4, 0, 3, 1, 2])
    assert len(reads) == 5
    assert reads == sorted(reads)
    assert again.image_ids == batch.image_ids == ["f.jpg", "a.jpg", "e.jpg", "c.jpg", "d.jpg"]
    assert np.array_equal(again.images, batch.images)
    assert np.array_equal(again.labels, np.stack([examples[index].label for index in (4, 0, 3, 1, 2)]))


def test_a_batch_of_nothing(dataset: Path) -> None:
    batch = open_dataset(dataset).read([])
    assert (batch.images.shape, batch.labels.shape) == ((0, 1, HEIGHT, WIDTH), (0, 1, HEIGHT, WIDTH))
    assert batch.image_ids == []


def test_shuffled_batches_depend_on_the_seed_alone(dataset: Path) -> None:
    def order(seed: int) -> list[str]:
        return [name for batch in open_dataset(dataset).batches(2, shuffle=True, seed=seed) for name in batch.image_ids]

    assert order(1) == order(1)
    assert len({tuple(order(seed)) for seed in range(6)}) > 1
    assert sorted(order(1)) == ids(open_dataset(dataset))


def test_shuffling_by_shards_has_every_example_once(dataset: Path) -> None:
    def order(examples: Dataset, seed: int) -> list[str]:
        return [name for batch in examples.batches(2, shuffle=True, seed=seed, window=1) for name in batch.image_ids]

    examples = open_dataset(dataset)
    orders = {tuple(order(examples, seed)) for seed in range(12)}
    assert len(orders) > 2
    assert {tuple(sorted(names)) for names in orders} == {tuple(ids(examples))}
    # One shard after the other: these share one.
    assert all(abs(names.index("a.jpg") - names.index("c.jpg")) == 1 for names in orders)
    assert sorted(order(examples[2:], 0)) == ids(examples[2:])


def test_labels_are_converted_on_request(dataset: Path) -> None:
    examples = open_dataset(dataset, label_dtype="uint8")
    assert examples[0].label.dtype == np.uint8
    assert np.array_equal(examples[0].label, open_dataset(dataset)[0].label)


@pytest.mark.parametrize("loss", ["bce", "multilabel_bce", "ssce"])
def test_labels_that_are_stored_as_uint8_are_the_same_labels(tmp_path: Path, loss: str) -> None:
    data = write_dataset(tmp_path / "data", [f"{name}.jpg,3,{start} 2" for start, name in enumerate("abcdef", 1)])
    usual = open_dataset(create(tmp_path, data, output="usual", loss=loss))
    small = create(tmp_path, data, output="small", loss=loss, maskmill={"label_dtype": "uint8"})
    assert verify(str(small)).problems == ()
    assert open_dataset(small).label_dtype == np.uint8
    back = open_dataset(small, label_dtype=usual.label_dtype)
    assert len(usual) == 3
    for one, other in zip(usual, back, strict=True):
        assert (one.label.dtype, one.image_id) == (other.label.dtype, other.image_id)
        assert one.label.any()
        assert np.array_equal(one.label, other.label)


def test_numpy_and_h5py_are_all_it_needs(dataset: Path) -> None:
    code = """
import sys
sys.modules["zlib_ng"] = sys.modules["fsspec"] = None  # As if they were not installed.
import h5py, numpy
before = set(sys.modules)
from maskmill import open_dataset
assert sum(len(batch.image_ids) for batch in open_dataset(sys.argv[1]).batches(2)) == 5
found = {name.partition(".")[0] for name in set(sys.modules) - before}
print(*found - before - sys.stdlib_module_names)
"""
    command = [sys.executable, "-c", code, str(dataset)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.split() == ["maskmill"]


def report(examples: Dataset, results: Any) -> None:
    results.put(ids(examples))


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_other_processes_open_the_files_anew(dataset: Path, method: str) -> None:
    examples = open_dataset(dataset)[1:]
    assert examples[0].image_id == "c.jpg"
    context = multiprocessing.get_context(method)
    results = context.Queue()
    processes = [context.Process(target=report, args=(examples, results)) for _ in range(2)]
    for process in processes:
        process.start()
    assert [results.get(timeout=60) for _ in processes] == [ids(examples)] * 2
    for process in processes:
        process.join()


def test_it_is_small_when_it_is_pickled_however_many_examples_it_has(tmp_path: Path) -> None:
    write_shard(tmp_path / SHARD, [example(image=np.zeros((1, 1, 1), "u1"), label=np.zeros((1, 1, 1), "<f4"))] * 5000)
    (tmp_path / "meta_train_input.dat").write_text(f"{SHARD} 5000\n")
    examples = open_dataset(tmp_path)
    assert examples[4999].image.shape == (1, 1, 1)
    assert len(pickle.dumps(examples)) < 1000
    assert len(pickle.loads(pickle.dumps(examples))) == 5000
    # A part may be any positions, in any order: they go along.
    assert len(pickle.dumps(examples[1:])) < 1000 + 8 * 5000


def test_a_dataset_on_a_file_system_of_fsspec(dataset: Path) -> None:
    import fsspec

    fsspec.filesystem("memory").put(str(dataset), "/datasets/steel", recursive=True)
    local, remote = open_dataset(dataset), open_dataset("memory://datasets/steel")
    assert ids(remote) == ids(local)
    assert all(np.array_equal(one.label, other.label) for one, other in zip(remote, local, strict=True))
    with pytest.raises(DatasetError, match="no dataset in memory://nothing"):
        open_dataset("memory://nothing")


def test_the_splits_are_named_where_another_is_asked_for(dataset: Path) -> None:
    with pytest.raises(DatasetError, match="has no split test_input; it has train_input, eval_input"):
        open_dataset(dataset, "test_input")


def test_an_original_whose_list_is_damaged(tmp_path: Path) -> None:
    write_original(tmp_path)
    (tmp_path / "meta_train_input.dat").write_text("what is this\n")
    with pytest.raises(DatasetError, match=r"meta_train_input\.dat: line 1 is not a path and a number"):
        open_dataset(tmp_path)


def test_versions_are_those_that_create_writes(dataset: Path) -> None:
    assert json.loads((dataset / "manifest.json").read_text())["format_version"] == current_format()
