"""Runs a pool of processes, which parse rows and write whole shards.

Many threads would wait for each other: for the lock of the interpreter, and for that of HDF5.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import connection
from multiprocessing.context import BaseContext
from multiprocessing.sharedctypes import Synchronized

from threadpoolctl import threadpool_limits

from maskmill.transforms.parallel.cpython_pool import close_results, pool_context, processes_of
from maskmill.transforms.parallel.memory import tune_malloc
from maskmill.transforms.parallel.progress import PROGRESS

_PRELOADED = [
    "maskmill.transforms.annotations.parse_lines",
    "maskmill.transforms.sink.write_file",
    "maskmill.transforms.parallel.process_pool",
]
# Within this time a pool usually notices a death itself.
_NOTICE_SECONDS = 1

_lock = threading.Lock()
_pools: dict[int, ProcessPoolExecutor] = {}


class LostProcessError(Exception):
    """A process of the pool ended before its work was done."""


@contextlib.contextmanager
def losses_told() -> Iterator[None]:
    """Turns the loss of a process into an error for people; the next run gets a new pool.

    Raises:
        LostProcessError: a process was lost.
    """
    try:
        yield
    except BrokenProcessPool as error:
        with _lock:
            _pools.clear()
        raise LostProcessError(
            "a process that decodes was killed from outside, perhaps because memory ran out; run the same command "
            "again, with fewer --workers if it happens again"
        ) from error


def process_pool(workers: int) -> ProcessPoolExecutor:
    """Returns the pool of that many processes, made on first use; they end with this process, however it ends."""
    with _lock:
        if workers not in _pools:
            context, count = _context()
            pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_begin, initargs=(count,))
            threading.Thread(target=_notice_loss, args=(pool,), daemon=True).start()
            _pools[workers] = pool
        return _pools[workers]


def _notice_loss(pool: ProcessPoolExecutor) -> None:
    """Breaks a pool if a process dies, even amid sending a result: the pool alone would wait for the rest of it."""
    while True:
        processes = processes_of(pool)
        if connection.wait([one.sentinel for one in processes], timeout=1):
            break
    time.sleep(_NOTICE_SECONDS)
    for one in processes:
        one.kill()
    close_results(pool)


def warm_up(workers: int) -> None:
    """Starts the processes, without waiting for them."""
    pool = process_pool(workers)
    for _ in range(workers):
        pool.submit(os.getpid)


@functools.cache
def _context() -> tuple[BaseContext, Synchronized[int]]:
    """How processes start, and the number in which they count their progress."""
    context = pool_context(_PRELOADED)
    count = context.Value(ctypes.c_longlong)
    PROGRESS.add_others(count)
    return context, count


def _begin(count: Synchronized[int]) -> None:
    """Prepares a process: Ctrl-C is left to the one that runs the job; BLAS gets one thread, as each core has one."""
    PROGRESS.count_in(count)
    tune_malloc()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threadpool_limits(1, user_api="blas")
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
    sys.stderr.flush()
    os._exit(1)
