"""Shards are fetched before they are read, several at a time, and not too many."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskmill import open_dataset
from maskmill.catalog import Shard
from maskmill.fetch_ahead import THREADS, FetchAhead, Use, most_bytes_in_use, uses_of
from maskmill.folder import LocalFolder
from maskmill.shard_cache import CachedFolder, ShardCache
from tests.support.datasets import make_dataset

SHARDS = [Shard(f"shard-{number}", 1, 10 + number, f"{number:064}") for number in range(30)]


class Recorded(CachedFolder):
    """Fetches nothing, and notes what it is asked for; waits if it is told to."""

    def __init__(self, folder: Path, most_bytes: int | None = None) -> None:
        super().__init__(LocalFolder(str(folder)), SHARDS, ShardCache(str(folder), most_bytes))
        self.fetched: list[Shard] = []
        self.together = threading.Barrier(1)

    def fetch(self, shard: Shard, *, patient: bool = True) -> None:
        self.together.wait(30)
        self.fetched.append(shard)


def in_turn(*lasts: int) -> list[Use]:
    """A shard for each step, with its last step."""
    return [Use(SHARDS[first], first, last) for first, last in enumerate(lasts)]


@given(st.lists(st.lists(st.integers(0, 9), max_size=4), max_size=12))
def test_uses_are_from_the_first_step_of_a_shard_to_its_last(steps: list[list[int]]) -> None:
    uses = uses_of(SHARDS, [np.array(step, np.int64) for step in steps])
    assert {use.shard for use in uses} == {SHARDS[number] for step in steps for number in step}
    assert [use.first for use in uses] == sorted(use.first for use in uses)
    in_use = [sum(use.shard.bytes or 0 for use in uses if use.first <= step <= use.last) for step in range(len(steps))]
    for use in uses:
        found = [index for index, step in enumerate(steps) if SHARDS.index(use.shard) in step]
        assert (use.first, use.last) == (found[0], found[-1])
    assert most_bytes_in_use(uses) == max(in_use, default=0)


def test_several_are_fetched_at_a_time(tmp_path: Path) -> None:
    folder = Recorded(tmp_path)
    folder.together = threading.Barrier(THREADS)  # Each fetch waits until so many are under way.
    with FetchAhead(folder, in_turn(*range(2 * THREADS))) as ahead:
        for step in range(2 * THREADS):
            ahead.advance(step)
    assert set(folder.fetched) == set(SHARDS[: 2 * THREADS])


def test_a_step_has_its_shards_and_later_ones_are_few(tmp_path: Path) -> None:
    folder = Recorded(tmp_path)
    with FetchAhead(folder, in_turn(*range(30))) as ahead:
        for step in range(30):
            ahead.advance(step)
            assert SHARDS[step] in folder.fetched
            assert len(folder.fetched) <= step + 1 + 2 * THREADS
    assert folder.fetched.count(SHARDS[29]) == 1


def test_what_is_fetched_ahead_fits_beside_what_is_in_use(tmp_path: Path) -> None:
    # The first shard is in use to the end, and the cache has room for two more.
    folder = Recorded(tmp_path, most_bytes=10 + 39 + 38)
    with FetchAhead(folder, in_turn(29, *range(1, 30))) as ahead:
        for step in range(30):
            ahead.advance(step)
            ahead._threads.submit(lambda: None).result()
            begun = ahead._in_use
            assert sum(use.shard.bytes or 0 for use in begun) <= 10 + 39 + 38
            assert {use.first for use in begun} >= {0, step}
    assert set(folder.fetched) == set(SHARDS)


def test_an_error_is_raised_at_the_step_that_needs_the_shard(tmp_path: Path) -> None:
    class Failing(Recorded):
        def fetch(self, shard: Shard, *, patient: bool = True) -> None:
            if shard is SHARDS[2]:
                raise ConnectionError("no answer")

    with FetchAhead(Failing(tmp_path), in_turn(*range(4))) as ahead:
        ahead.advance(0)
        ahead.advance(1)
        with pytest.raises(ConnectionError, match="no answer"):
            ahead.advance(2)


def test_a_process_that_is_forked_while_shards_are_fetched_fetches_them_itself(tmp_path: Path) -> None:
    class Waiting(Recorded):
        may = threading.Event()

        def fetch(self, shard: Shard, *, patient: bool = True) -> None:
            if shard is not SHARDS[0]:
                self.may.wait()
            super().fetch(shard)

    folder = Waiting(tmp_path)
    with FetchAhead(folder, in_turn(*range(12))) as ahead:
        ahead.advance(0)
        child = os.fork()
        if not child:
            signal.alarm(30)
            folder.may = threading.Event()
            folder.may.set()
            for step in range(1, 12):
                ahead.advance(step)
            os._exit(set(folder.fetched) != set(SHARDS[:12]))
        folder.may.set()
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        for step in range(1, 12):
            ahead.advance(step)
    assert sorted(folder.fetched) == sorted(SHARDS[:12])


def test_a_process_that_is_forked_between_two_batches_goes_on(tmp_path: Path) -> None:
    examples = open_dataset(make_dataset(tmp_path), cache=tmp_path / "cache")
    batches = examples.batches(1)
    names: list[Any] = next(batches).image_ids
    child = os.fork()
    if not child:
        signal.alarm(30)
        rest = [name for batch in batches for name in batch.image_ids]
        os._exit(names + rest != ["a.jpg", "c.jpg", "d.jpg", "e.jpg", "f.jpg"])
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert len(list(batches)) == 4
