"""`open_dataset` with a cache on a dataset in an object store."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from maskmill import DatasetError, open_dataset
from tests.support.command import ROOT
from tests.support.needs import needs_package
from tests.support.store_runs import create, put_dataset
from tests.support.stores import Store

# `fetched` knows the requests of this store.
pytestmark = [pytest.mark.stores, pytest.mark.parametrize("_running_store", ["gs"], indirect=True)]


@pytest.fixture(name="made")
def make_in_store(store: Store, tmp_path: Path) -> str:
    """A dataset in a store that `open_dataset` can read."""
    needs_package("gcsfs", "test-stores")
    assert create(store, put_dataset(store, tmp_path)) == 0
    return store.path("out")


# Reads through a cache, on the machine of others that do so.
READ = """
import sys
from maskmill import open_dataset
examples = open_dataset(sys.argv[1], cache=sys.argv[2])
print("opened", flush=True)
print(*sorted(name for batch in examples.batches(2, shuffle=True, window=1) for name in batch.image_ids))
"""


def start_reading(made: str, cache: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", READ, made, str(cache)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)


def fetched(store: Store) -> Counter[str]:
    """How often the content of each shard was asked for."""
    return Counter(target.partition("?")[0] for _, target in store.proxy.log if ".h5" in target and "media" in target)


def test_processes_that_share_a_cache_fetch_each_shard_once(made: str, store: Store, tmp_path: Path) -> None:
    store.proxy.delay = 0.2
    store.proxy.plan()
    processes = [start_reading(made, tmp_path / "cache") for _ in range(3)]
    outputs = [process.communicate(timeout=60)[0] for process in processes]
    assert {process.returncode for process in processes} == {0}
    assert len(outputs[0].split()) == 5
    assert len(set(outputs)) == 1
    assert set(fetched(store).values()) == {1}
    assert len(fetched(store)) == 2
    assert {path.suffix for path in (tmp_path / "cache").iterdir()} == {".h5"}


def test_a_process_that_is_killed_amid_a_fetch_damages_nothing(made: str, store: Store, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    expected = [one.image_id for one in open_dataset(made)]
    with start_reading(made, cache) as killed:
        assert killed.stdout is not None
        assert killed.stdout.readline() == "opened\n"
        store.proxy.delay = 5.0
        while not list(cache.glob("*.attempt")):
            time.sleep(0.01)
        os.kill(killed.pid, signal.SIGKILL)
    store.proxy.delay = 0.0
    assert list(cache.glob("*.attempt"))
    examples = open_dataset(made, cache=cache)
    assert [one.image_id for one in examples] == expected
    assert {path.suffix for path in cache.iterdir()} == {".h5"}


def test_a_shard_that_was_damaged_in_the_store_is_refused(made: str, store: Store, tmp_path: Path) -> None:
    [shard, *_] = [name for name in store.names("out") if name.startswith("train_input/")]
    content = bytearray(store.get(f"out/{shard}"))
    content[len(content) // 2] ^= 1
    store.put(f"out/{shard}", bytes(content))
    with pytest.raises(DatasetError, match=rf"{shard}: its content has changed \(sha256 "):
        list(open_dataset(made, cache=tmp_path / "cache").batches(2))


def test_several_shards_are_fetched_at_a_time_ahead_of_reading(store: Store, made: str, tmp_path: Path) -> None:
    assert create(store, store.path("params.yaml"), output="four", files=4) == 0
    examples = open_dataset(store.path("four"), cache=tmp_path / "cache")
    store.proxy.plan()
    store.proxy.delay = 0.2
    with contextlib.closing(examples.batches(1, shuffle=True, window=1)) as batches:
        next(batches)
        # Before the next batches are asked for.
        deadline = time.monotonic() + 30
        while len(list((tmp_path / "cache").glob("*.h5"))) < 4 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert len(fetched(store)) == 4
        assert store.proxy.most_at_once(r"\.h5.*media") > 1
        store.proxy.plan()
        assert len(list(batches)) == 3
    assert store.proxy.log == []


def test_a_process_that_is_forked_after_reading_reads_through_the_cache(made: str, tmp_path: Path) -> None:
    # The number of its examples comes from the fork; without an end, the timeout ends the test.
    code = """
import multiprocessing, sys
from maskmill import open_dataset
examples = open_dataset(sys.argv[1], cache=sys.argv[2])
image_id = examples[0].image_id
batches = examples.batches(1)
next(batches)
def read(results):
    results.put([name for batch in examples.batches(2) for name in batch.image_ids])
context = multiprocessing.get_context("fork")
results = context.Queue()
processes = [context.Process(target=read, args=[results]) for _ in range(2)]
for process in processes:
    process.start()
found = [results.get(timeout=30) for _ in processes]
for process in processes:
    process.join()
assert found[0] == found[1] and found[0][0] == image_id and len(found[0]) == 4, found
assert len(list(batches)) == 3
"""
    command = [sys.executable, "-c", code, made, str(tmp_path / "cache")]
    subprocess.run(command, cwd=ROOT, check=True, timeout=90)
