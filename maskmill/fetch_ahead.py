"""Fetches the shards of a cached dataset ahead of the order in which they are read."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from maskmill.catalog import Shard
from maskmill.shard_cache import CachedFolder

# Shards that are fetched at a time, and at most ahead of the step that is read.
THREADS = 4
_MOST_AHEAD = 2 * THREADS


class Use(NamedTuple):
    """When a shard is read.

    Attributes:
        shard: the shard.
        first: first step that reads it.
        last: last step that reads it.
    """

    shard: Shard
    first: int
    last: int


def uses_of(shards: Sequence[Shard], steps: Sequence[NDArray[np.integer]]) -> list[Use]:
    """Finds out when each shard is read.

    Args:
        shards: of the split.
        steps: for each step, the index in `shards` of the shard of each example.

    Returns:
        the uses of shards, by their first step.
    """
    if not steps:
        return []
    numbers = np.concatenate(steps)
    of_example = np.repeat(np.arange(len(steps)), [len(step) for step in steps])
    used, first = np.unique(numbers, return_index=True)
    last = len(numbers) - 1 - np.unique(numbers[::-1], return_index=True)[1]
    uses = zip(used.tolist(), of_example[first].tolist(), of_example[last].tolist(), strict=True)
    return [
        Use(shards[number], begin, end) for _, (number, begin, end) in sorted(zip(first.tolist(), uses, strict=True))
    ]


def most_bytes_in_use(uses: Iterable[Use]) -> int:
    """Largest number of bytes of the shards that are in use at the same time: from their first step to their last."""
    changes = sorted(
        change
        for use in uses
        for change in ((use.first, use.shard.bytes or 0), (use.last + 0.5, -(use.shard.bytes or 0)))
    )
    return int(max(np.cumsum([size for _, size in changes]), default=0))


class FetchAhead:
    """Fetches shards by threads of its own, in the order of their first use.

    It begins no more than what the cache can hold beside the shards that are in use, so that none of them is removed
    for another. Threads begin with the first fetch, and a forked process begins its own.

    Args:
        folder: folder of the dataset.
        uses: of the shards, by their first step.

    Raises:
        ValueError: the cache cannot hold the shards that are in use at the same time.
    """

    def __init__(self, folder: CachedFolder, uses: Sequence[Use]) -> None:
        self._folder = folder
        self._most_bytes = folder.cache.most_bytes
        if self._most_bytes is not None and (needed := most_bytes_in_use(uses)) > self._most_bytes:
            raise ValueError(
                f"cache_bytes is {self._most_bytes:,}, but in this order shards of {needed:,} bytes are in use at the "
                "same time, and each would be fetched again and again; raise cache_bytes, or shuffle with a "
                "(smaller) window"
            )
        self._waiting = deque(uses)
        self._in_use: list[Use] = []
        self._fetching: dict[Use, Future[None]] = {}
        self._begin()

    def _begin(self) -> None:
        self._process = os.getpid()
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="maskmill-fetch")

    def advance(self, step: int) -> None:
        """Begins to fetch what is read next, and waits for the shards of a step.

        Args:
            step: that is read next; never one before those of earlier calls.

        Raises:
            DatasetError: a shard of this step could not be fetched.
        """
        if self._process != os.getpid():
            # The threads of the parent are not here.
            self._waiting.extendleft(reversed(self._fetching))
            self._fetching = {}
            self._begin()
        if self._waiting:
            self._begin_fetches(step)
        for use in [use for use in self._fetching if use.first <= step]:
            self._fetching.pop(use).result()

    def close(self) -> None:
        """Begins no more fetches."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def __enter__(self) -> FetchAhead:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _begin_fetches(self, step: int) -> None:
        self._in_use = [use for use in self._in_use if use.last >= step]
        begun = len(self._in_use)
        while self._waiting and self._has_room(self._waiting[0], step):
            use = self._waiting.popleft()
            self._in_use.append(use)
            self._fetching[use] = self._threads.submit(self._folder.fetch, use.shard, patient=False)
        if len(self._in_use) > begun:
            self._folder.cache.touch(use.shard for use in self._in_use)

    def _has_room(self, use: Use, step: int) -> bool:
        if use.first <= step:
            return True
        ahead = sum(other.first > step for other in self._in_use)
        size = sum(other.shard.bytes or 0 for other in (use, *self._in_use))
        return ahead < _MOST_AHEAD and (self._most_bytes is None or size <= self._most_bytes)
