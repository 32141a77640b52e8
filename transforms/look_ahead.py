"""Work done ahead, in order: a bounded window over a thread pool."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

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


def map_ahead(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    pool: ThreadPoolExecutor,
    window: int,
) -> Generator[Result, None, None]:
    """Maps over a pool, a few items ahead of the caller, and gives the results in the order of the items.

    Args:
        function: called in the pool's threads.
        items: taken one by one, not more than `window` ahead.
        pool: where the calls run.
        window: results that may be waiting or under way at a time, at least 1.

    Yields:
        the function's results.

    Raises:
        what the function raises, when its turn comes; what lies ahead of it is given up.
    """
    pending: deque[Future[Result]] = deque()
    try:
        for item in items:
            if len(pending) >= window:
                yield pending.popleft().result()
            pending.append(pool.submit(function, item))
        while pending:
            yield pending.popleft().result()
    finally:
        for future in pending:
            future.cancel()
