"""Processes that decode: threads share the interpreter's lock, which is held for a good part of an example's time."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import multiprocessing
import multiprocessing.util
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

from maskmill.transforms.parallel.memory import settle_freed_memory
from maskmill.transforms.parallel.progress import PROGRESS

# Where it is to be had: the processes are forked from one that has done the imports, and not from this one's threads.
_FORKSERVER = "forkserver"
_PRELOADED = ["maskmill.transforms.sink.write_file_alone", "maskmill.transforms.parallel.process_pool"]
# In which a pool has most often noticed a loss by itself.
_NOTICE_SECONDS = 1

_lock = threading.Lock()
_pools: dict[int, ProcessPoolExecutor] = {}


class LostProcessError(Exception):
    """A process that decodes has ended before its work was done."""


@contextlib.contextmanager
def losses_told() -> Iterator[None]:
    """Says what it means for the run that a process is lost; the next run has a new pool.

    Raises:
        LostProcessError: one was.
    """
    try:
        yield
    except BrokenProcessPool as error:
        with _lock:
            _pools.clear()
        raise LostProcessError(
            "a process that decodes was ended from outside, perhaps for want of memory; run the same command again, "
            "with fewer --workers if it happens again"
        ) from error


def process_pool(workers: int) -> ProcessPoolExecutor:
    """The pool of so many processes, made when first asked for; they end when this process does, however it does."""
    with _lock:
        if workers not in _pools:
            context, count = _context()
            pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_begin, initargs=(count,))
            threading.Thread(target=_notice_loss, args=(pool,), daemon=True).start()
            _pools[workers] = pool
        return _pools[workers]


def _notice_loss(pool: ProcessPoolExecutor) -> None:
    """Has a pool break also where a process has died amid sending a result.

    By itself the pool waits for the rest of it for as long as anybody could send it: the other processes, and this one.
    """
    while True:
        processes = list((pool._processes or {}).values())  # None at the end
        if connection.wait([one.sentinel for one in processes], timeout=1):
            break
    time.sleep(_NOTICE_SECONDS)
    for one in processes:
        one.kill()
    with contextlib.suppress(OSError):  # it is closed already
        pool._result_queue._writer.close()  # type: ignore[attr-defined]


def warm_up(workers: int) -> None:
    """Has the processes begin, and does not wait for them."""
    pool = process_pool(workers)
    for _ in range(workers):
        pool.submit(os.getpid)


def release_semaphores() -> None:
    """Gives back to the system what the pools share, for a process that has to stop at once.

    At any other end multiprocessing does so itself; here Python would warn of them behind the last message.
    """
    multiprocessing.util._run_finalizers(0)  # type: ignore[attr-defined]


@functools.cache
def _context() -> tuple[BaseContext, Synchronized[int]]:
    """How processes begin, and the number in which they count their progress."""
    context: BaseContext
    if _FORKSERVER in multiprocessing.get_all_start_methods():
        context = multiprocessing.get_context(_FORKSERVER)
        context.set_forkserver_preload(_PRELOADED)
    else:
        context = multiprocessing.get_context("spawn")
    count = context.Value(ctypes.c_longlong)
    PROGRESS.add_others(count)
    return context, count


def _begin(count: Synchronized[int]) -> None:
    """Leaves Ctrl-C to the process that runs the job, and keeps BLAS to one thread, as there is a process a core."""
    PROGRESS.count_in(count)
    settle_freed_memory()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threadpool_limits(1, user_api="blas")
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
    sys.stderr.flush()
    os._exit(1)
