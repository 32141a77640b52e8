"""Work done ahead, in order: a bounded window over a thread pool."""

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
    """Number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def shared_pool(workers: int, purpose: str = "decode") -> ThreadPoolExecutor:
    """The process's pool of so many threads for a purpose, made when first asked for."""
    with _lock:
        if (purpose, workers) not in _pools:
            _pools[purpose, workers] = ThreadPoolExecutor(workers, thread_name_prefix=purpose)
        return _pools[purpose, workers]


class LookAhead(Generic[Result]):
    """Calls that run ahead of whoever wants their results, which come in the order of the calls.

    Args:
        pool: where the calls run.
        window: results that may be waiting or under way at a time, at least 1.
    """

    def __init__(self, pool: Executor, window: int) -> None:
        self._pool = pool
        self._window = window
        self._pending: deque[Future[Result]] = deque()

    def call(self, function: Callable[..., Result], *arguments: Any) -> Iterator[Result]:
        """Begins a call; before that, gives the results that have to make room for it.

        Raises:
            what such a call has raised.
        """
        while len(self._pending) >= self._window:
            yield self._pending.popleft().result()
        self._pending.append(self._pool.submit(function, *arguments))

    def finish(self) -> Iterator[Result]:
        """Gives the results of all calls that were begun.

        Raises:
            what such a call has raised.
        """
        while self._pending:
            yield self._pending.popleft().result()

    def give_up(self) -> None:
        """Forgets the calls that were begun; waits for the end of those that are under way."""
        wait([future for future in self._pending if not future.cancel()])
        self._pending.clear()


def map_ahead(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    pool: Executor,
    window: int,
) -> Generator[Result, None, None]:
    """Maps over a pool, a few items ahead of the caller, and gives the results in the order of the items.

    Args:
        function: called in the pool.
        items: taken one by one, not more than `window` ahead.
        pool: where the calls run.
        window: results that may be waiting or under way at a time, at least 1.

    Yields:
        the function's results.

    Raises:
        what the function raises, when its turn comes; what lies ahead of it is given up.
    """
    ahead: LookAhead[Result] = LookAhead(pool, window)
    try:
        for item in items:
            yield from ahead.call(function, item)
        yield from ahead.finish()
    finally:
        ahead.give_up()
