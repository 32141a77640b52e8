"""`open_dataset` on a dataset in an object store."""

from __future__ import annotations

import multiprocessing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from maskmill import Dataset, DatasetError, open_dataset
from tests.support.command import create as create_locally
from tests.support.command import run_here
from tests.support.needs import needs_package
from tests.support.store_runs import FLAGS, create, put_dataset
from tests.support.stores import Store

pytestmark = pytest.mark.stores


SHARDS, EXAMPLES = 2, 4  # of a split


@pytest.fixture(name="made")
def make_in_store(store: Store, tmp_path: Path) -> str:
    """A dataset in a store that `open_dataset` can read."""
    needs_package({"gs": "gcsfs", "s3": "s3fs"}[store.scheme], "test-stores")
    assert create(store, put_dataset(store, tmp_path)) == 0
    return store.path("out")


def test_a_dataset_in_a_store_is_read_like_a_local_one(made: str, tmp_path: Path) -> None:
    local = open_dataset(create_locally(tmp_path, tmp_path / "data", FLAGS[0]), "train_input")
    remote = open_dataset(made, "train_input")
    assert len(remote) == len(local) == EXAMPLES
    for one, other in zip(remote, local, strict=True):
        assert one.image_id == other.image_id
        np.testing.assert_array_equal(one.image, other.image)
        np.testing.assert_array_equal(one.label, other.label)


def test_a_dataset_in_a_store_is_compared_with_a_local_one(made: str, tmp_path: Path) -> None:
    local = create_locally(tmp_path, tmp_path / "data", *FLAGS)
    # The images have other times in the store, and the same pixels.
    assert run_here("diff", local, made).out.endswith("are the same: 8 examples\n")
    assert "there is no whole dataset of maskmill" in run_here("diff", local, f"{made}/none", status=4).err


def test_a_shard_is_one_request_and_an_example_one_more(store: Store, made: str) -> None:
    def requests() -> int:
        count = len(store.proxy.log)
        store.proxy.plan()
        return count

    store.proxy.plan()
    examples = open_dataset(made)
    assert requests() == 4  # Three folders and the manifest.
    assert len(examples.read(range(EXAMPLES)).image_ids) == EXAMPLES
    assert requests() == SHARDS + EXAMPLES
    assert len(list(examples)) == EXAMPLES
    assert requests() == EXAMPLES


def test_the_requests_of_a_batch_are_under_way_at_the_same_time(store: Store, made: str) -> None:
    examples = open_dataset(made)
    examples.read([0, 1])
    store.proxy.plan()
    store.proxy.delay = 1.0
    batch = examples.read([3, 2, 1, 0, 1, 3])
    store.proxy.delay = 0.0
    assert batch.image_ids == [examples[index].image_id for index in (3, 2, 1, 0, 1, 3)]
    assert store.proxy.most_at_once(r"\.h5") == 6


def test_a_shard_that_goes_is_an_error(store: Store, made: str) -> None:
    examples = open_dataset(made)
    assert len(examples.read([0, 1]).image_ids) == 2
    store.delete("out/train_input/preprocessed_data-1_p0.h5")
    with pytest.raises(DatasetError, match=r"train_input/preprocessed_data-1_p0\.h5: example 0 cannot be read: "):
        examples.read([0, 1])


def report(examples: Dataset, results: Any) -> None:
    results.put(examples.read(range(EXAMPLES)).image_ids)


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_other_processes_read_after_their_parent_has_read(made: str, method: str) -> None:
    examples = open_dataset(made)
    image_ids = examples.read(range(EXAMPLES)).image_ids
    context = multiprocessing.get_context(method)
    results = context.Queue()
    processes = [context.Process(target=report, args=(examples, results), daemon=True) for _ in range(2)]
    for process in processes:
        process.start()
    assert [results.get(timeout=60) for _ in processes] == [image_ids] * 2
    for process in processes:
        process.join(timeout=60)
    assert [process.exitcode for process in processes] == [0, 0]
    assert examples.read(range(EXAMPLES)).image_ids == image_ids
