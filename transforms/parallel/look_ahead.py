"""Runs calls in a pool ahead of the consumer, within a bounded window, and yields their results in order."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor, wait
from typing import Any, Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

_lock = threading.Lock()
_pools: dict[tuple[str, int], ThreadPoolExecutor] = {}


def usable_cores() -> int:
    """Returns the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def shared_pool(workers: int, purpose: str = "decode") -> ThreadPoolExecutor:
    """Returns this process's thread pool of a size, for a purpose; it is made on first use."""
    with _lock:
        if (purpose, workers) not in _pools:
            _pools[purpose, workers] = ThreadPoolExecutor(workers, thread_name_prefix=purpose)
        return _pools[purpose, workers]


class LookAhead(Generic[Result]):
    """Runs calls ahead of the consumer of their results; results come in the order of the calls.

    Args:
        pool: runs the calls.
        window: number of calls that may be under way or have a result waiting, at least 1.
    """

    def __init__(self, pool: Executor, window: int) -> None:
        self._pool = pool
        self._window = window
        self._pending: deque[Future[Result]] = deque()

    def call(self, function: Callable[..., Result], *arguments: Any) -> Iterator[Result]:
        """Submits a call; first yields the results that have to make room for it.

        Raises:
            Exception: whatever an earlier call raised, in place of its result.
        """
        while len(self._pending) >= self._window:
            yield self._take()
        self._pending.append(self._pool.submit(function, *arguments))

    def finish(self) -> Iterator[Result]:
        """Yields the results of all calls that are left.

        Raises:
            Exception: whatever a call raised, in place of its result.
        """
        while self._pending:
            yield self._take()

    def _take(self) -> Result:
        # It stays pending until it is done: Ctrl-C may end this wait, and `give_up` has to wait for it.
        result = self._pending[0].result()
        self._pending.popleft()
        return result

    def give_up(self) -> None:
        """Cancels the calls that have not started, and waits for those that have."""
        wait([future for future in self._pending if not future.cancel()])
        self._pending.clear()


def map_ahead(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    pool: Executor,
    window: int,
) -> Generator[Result, None, None]:
    """Maps a function over items in a pool, a few items ahead of the consumer.

    Args:
        function: called in the pool.
        items: taken one by one, at most `window` ahead of the results.
        pool: runs the calls.
        window: number of calls that may be under way or have a result waiting, at least 1.

    Yields:
        the function's results, in the order of the items.

    Raises:
        Exception: whatever the function raised, in place of its result; later calls are cancelled.
    """
    ahead: LookAhead[Result] = LookAhead(pool, window)
    try:
        for item in items:
            yield from ahead.call(function, item)
        yield from ahead.finish()
    finally:
        ahead.give_up()
