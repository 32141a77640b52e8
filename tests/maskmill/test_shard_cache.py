"""Copies of shards: whole or not there, each fetched once, no more than were allowed, and read like the shards."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import multiprocessing
import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from maskmill import Dataset, DatasetError, open_dataset, shard_cache
from maskmill.catalog import Shard
from maskmill.folder import LocalFolder
from maskmill.shard_cache import CachedFolder, ShardCache
from tests.support.datasets import SHARD, make_dataset, write_original

NAMES = ["a.jpg", "c.jpg", "d.jpg", "e.jpg", "f.jpg"]


@pytest.fixture(name="cache")
def name_cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def ids(examples: Dataset) -> list[str]:
    return [one.image_id for one in examples]


def shards_of(examples: Dataset) -> list[Shard]:
    """Those that have examples: a.jpg and c.jpg, d.jpg and f.jpg, e.jpg."""
    return [shard for shard in examples._shards if shard.examples]


def copies_in(cache: Path) -> dict[str, int]:
    """Size of each file in a cache; without those that go meanwhile."""
    sizes = {}
    for name in os.listdir(cache):
        with contextlib.suppress(FileNotFoundError):
            sizes[name] = (cache / name).stat().st_size
    return sizes


def bytes_in(cache: Path) -> int:
    return sum(copies_in(cache).values())


@pytest.mark.parametrize("remote", [False, True])
def test_copies_are_read_like_the_shards(dataset: Path, cache: Path, remote: bool) -> None:
    import fsspec

    fsspec.filesystem("memory").put(str(dataset), "/cached", recursive=True)
    examples = open_dataset("memory://cached" if remote else dataset, cache=cache)
    for one, other in zip(examples, open_dataset(dataset), strict=True):
        assert one.image_id == other.image_id
        assert np.array_equal(one.image, other.image)
        assert np.array_equal(one.label, other.label)
    assert set(copies_in(cache)) == {f"{shard.sha256}.h5" for shard in shards_of(examples)}


def test_a_shard_is_fetched_once_by_all_datasets_and_processes(copy: Path, cache: Path) -> None:
    assert ids(open_dataset(copy, cache=cache)) == NAMES
    examples = open_dataset(copy, cache=cache)
    for shard in shards_of(examples):
        (copy / shard.path).unlink()
    assert ids(examples) == NAMES
    for method in ("fork", "spawn"):
        context = multiprocessing.get_context(method)
        with context.Pool(2) as pool:
            assert pool.map(ids, [examples] * 2) == [NAMES] * 2


def test_another_version_of_a_dataset_has_copies_of_its_own(dataset: Path, tmp_path: Path, cache: Path) -> None:
    other = make_dataset(tmp_path, loss="ssce")
    ids(open_dataset(dataset, cache=cache))
    assert open_dataset(other, cache=cache)[0].label.dtype == np.int32
    assert len(copies_in(cache)) == 4


def test_a_shard_that_is_not_the_one_of_the_manifest_is_refused(copy: Path, cache: Path) -> None:
    content = bytearray((copy / SHARD).read_bytes())
    content[-1] ^= 1
    (copy / SHARD).write_bytes(content)
    examples = open_dataset(copy, cache=cache)
    for _ in range(2):
        with pytest.raises(DatasetError, match=rf"{SHARD}: its content has changed \(sha256 \w+ instead of"):
            examples[0]
    assert copies_in(cache) == {}
    with pytest.raises(DatasetError, match=f"{SHARD}: its content has changed"):
        list(examples.batches(2))


@pytest.mark.parametrize("damage", ["short", "gone"])
def test_a_shard_that_was_replaced_since(copy: Path, cache: Path, damage: str) -> None:
    examples = open_dataset(copy, cache=cache)
    if damage == "short":
        (copy / SHARD).write_bytes(b"another")
        message = f"{SHARD} was replaced after the dataset was opened; open it again"
    else:
        (copy / SHARD).unlink()
        message = f"{SHARD} cannot be fetched: .*No such file"
    with pytest.raises(DatasetError, match=message):
        examples[0]


def test_a_copy_that_was_cut_off_is_fetched_again(dataset: Path, cache: Path) -> None:
    ids(open_dataset(dataset, cache=cache))
    whole = copies_in(cache)
    for path in cache.iterdir():
        os.truncate(path, 100)
    assert ids(open_dataset(dataset, cache=cache)) == NAMES
    assert copies_in(cache) == whole


def test_the_copies_used_least_recently_make_room(dataset: Path, cache: Path) -> None:
    shards = shards_of(open_dataset(dataset))
    limit = sum(shard.bytes or 0 for shard in shards) - 1
    folder = CachedFolder(LocalFolder(str(dataset)), shards, ShardCache(str(cache), limit))
    for number in (0, 1, 0, 2):
        folder.open(shards[number].path)
        time.sleep(0.01)
    assert set(copies_in(cache)) == {f"{shards[number].sha256}.h5" for number in (0, 2)}


@pytest.mark.parametrize("together", [1, 2])
def test_a_cache_never_holds_more_than_it_may(dataset: Path, cache: Path, together: int) -> None:
    limit = together * max(shard.bytes or 0 for shard in shards_of(open_dataset(dataset)))
    examples = open_dataset(dataset, cache=cache, cache_bytes=limit)
    for seed in range(8):
        found = []
        for batch in examples.batches(1, shuffle=True, seed=seed, window=together):
            assert bytes_in(cache) <= limit
            found += batch.image_ids
        assert sorted(found) == NAMES
    # Whatever the order: each of these fetches a shard.
    assert ids(examples) == NAMES
    assert bytes_in(cache) <= limit


def test_a_copy_that_is_removed_while_it_is_open_can_be_read_to_the_end(dataset: Path, cache: Path) -> None:
    examples = open_dataset(dataset, cache=cache, cache_bytes=2**30)
    first = examples[0]
    for path in cache.iterdir():
        path.unlink()
    assert np.array_equal(examples[0].image, first.image)
    assert copies_in(cache) == {}
    # It takes room on the disk until it is closed, which it is when another shard is opened.
    assert examples[2].image_id == "d.jpg"
    links = (os.readlink(link) for link in Path("/proc/self/fd").iterdir() if link.is_symlink())
    assert [link for link in links if link.startswith(str(cache)) and link.endswith("(deleted)")] == []
    assert np.array_equal(examples[0].image, first.image)
    assert len(copies_in(cache)) == 2


def attempt_of(shard: Shard, cache: Path) -> Path:
    """An attempt of another process."""
    cache.mkdir(exist_ok=True)
    path = cache / f"{shard.sha256}.{0:032}.attempt"
    with open(path, "wb") as file:
        file.truncate(shard.bytes)
    return path


def test_what_a_dead_process_left_is_removed(dataset: Path, cache: Path) -> None:
    shards = shards_of(open_dataset(dataset))
    attempt = attempt_of(shards[1], cache)
    (cache / f"{shards[0].sha256}.lock").touch()
    (cache / "notes.txt").touch()
    assert open_dataset(dataset, cache=cache)[0].image_id == "a.jpg"
    assert not attempt.exists()
    assert set(copies_in(cache)) == {f"{shards[0].sha256}.h5", "notes.txt"}


def test_what_a_living_process_fetches_stays_and_counts(
    dataset: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shard_cache, "_PATIENCE_SECONDS", 0.1)
    shards = shards_of(open_dataset(dataset))
    attempt = attempt_of(shards[1], cache)
    small = ShardCache(str(cache), (shards[0].bytes or 0) + (shards[1].bytes or 0) - 1)
    with open(cache / f"{shards[1].sha256}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        small.fetch(shards[0], LocalFolder(str(dataset)), patient=False)
        assert not small.has(shards[0])
        # But nobody waits for ever: the other process may be stopped.
        for shard in shards[:2]:
            small.fetch(shard, LocalFolder(str(dataset)))
            assert small.has(shard)
        assert attempt.exists()


def test_who_waits_for_another_process_finds_its_copy(dataset: Path, cache: Path) -> None:
    def fetch(shard: Shard, ready: Any) -> None:
        class Slow(LocalFolder):
            def open(self, path: str) -> Any:
                ready.set()
                time.sleep(0.5)
                return super().open(path)

        ShardCache(str(cache)).fetch(shard, Slow(str(dataset)))

    class Refusing(LocalFolder):
        def open(self, path: str) -> Any:
            raise AssertionError(path)

    context = multiprocessing.get_context("fork")
    shard, ready = shards_of(open_dataset(dataset))[0], context.Event()
    other = context.Process(target=fetch, args=(shard, ready))
    other.start()
    assert ready.wait(30)
    ours = ShardCache(str(cache))
    ours.fetch(shard, Refusing(str(dataset)), patient=False)
    ours.fetch(shard, Refusing(str(dataset)))
    assert ours.has(shard)
    other.join()


def test_a_cache_that_is_too_small_for_a_shard_says_what_to_set(dataset: Path, cache: Path) -> None:
    largest = max(shard.bytes or 0 for shard in shards_of(open_dataset(dataset)))
    with pytest.raises(ValueError, match=rf"cache_bytes is {largest - 1:,}, but .*has {largest:,} bytes; set cache"):
        open_dataset(dataset, cache=cache, cache_bytes=largest - 1)


def test_an_order_for_which_a_cache_is_too_small_is_refused(dataset: Path, cache: Path) -> None:
    sizes = [shard.bytes or 0 for shard in shards_of(open_dataset(dataset))]
    examples = open_dataset(dataset, cache=cache, cache_bytes=max(sizes))
    # In index order, e.jpg is read between the two examples of another shard.
    needed = f"{sum(sizes[1:]):,}"
    with pytest.raises(ValueError, match=rf"in this order shards of {needed} bytes are in use at the same time"):
        list(examples.batches(1))
    assert copies_in(cache) == {}


def test_a_dataset_of_the_original_lists_no_checksums(tmp_path: Path, cache: Path) -> None:
    write_original(tmp_path)
    with pytest.raises(DatasetError, match="does not list checksums, by which copies are checked and named; open it"):
        open_dataset(tmp_path, cache=cache)


def test_a_cache_that_cannot_be_written(dataset: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DatasetError, match=r"file/cache: cannot keep copies of shards there .*; name another local"):
        open_dataset(dataset, cache=tmp_path / "file" / "cache")


def test_a_full_disk_is_told(dataset: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(DatasetError, match=r"cannot keep copies .*No space left on device\); free some space, or set"):
        open_dataset(dataset, cache=cache)[0]
    assert copies_in(cache) == {}


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"cache_bytes": 1}, "set cache, too"), ({"cache": "gs://bucket/cache"}, "must be a local folder")],
)
def test_settings_that_make_no_sense(dataset: Path, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        open_dataset(dataset, **settings)
