"""Does what the pool of processes needs and only private names of CPython give. Tried with CPython 3.10 to 3.13.

Each function does nothing if the names are gone; its docstring says what is lost then. The tests of this module fail
when a trick has no effect any more.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import multiprocessing.context
import multiprocessing.forkserver
import multiprocessing.resource_tracker
import multiprocessing.spawn
import signal
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from typing import Any

_FORKSERVER = "forkserver"
_PREPARE = getattr(multiprocessing.spawn, "get_preparation_data", None)
# The form of Python's option -W: each warning of the process that tracks semaphores begins with its name.
_QUIET = "ignore:resource_tracker:UserWarning"
_starting = threading.Lock()


def pool_context(preload: list[str]) -> BaseContext:
    """Returns how a pool starts its processes: without running the program's main module again in each of them.

    If the system has it, the process from which the others are forked begins at once, and imports what they need.

    By default a process that was not forked imports the main module. A script without `if __name__ == "__main__":`
    would make the dataset once more in each process. (Without the private name it does: such a script needs the line.)

    Args:
        preload: modules that are imported once, by the process from which the others are forked, if the system has it.
    """
    _start_tracker()
    if _FORKSERVER in multiprocessing.get_all_start_methods():
        context: BaseContext = _ForkServerContext()
        context.set_forkserver_preload(preload)
        with _uninterrupted():
            multiprocessing.forkserver.ensure_running()
        return context
    return _SpawnContext()


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    """Keeps Ctrl-C from the processes that the body starts: one that is importing would print where it was."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _start_tracker() -> None:
    """Starts the process that gives a program's semaphores back to the system if the program cannot, without a warning.

    After a `kill -9` or `os._exit`, it would print "There appear to be 6 leaked semaphore objects" as soon as the other
    processes have ended, which is amid the messages of the next run, although it then removes them. (If the program has
    started it before, or if Python takes its options from elsewhere, it prints the warning.)
    """
    with _starting:
        sys.warnoptions.append(_QUIET)
        try:
            multiprocessing.resource_tracker.ensure_running()
        finally:
            sys.warnoptions.remove(_QUIET)


@contextlib.contextmanager
def _main_left_out() -> Iterator[None]:
    """Starts processes that do not import the main module, while the body runs."""
    prepare = _PREPARE
    if prepare is None:
        yield
        return

    def without_main(name: str) -> dict[str, Any]:
        return {key: value for key, value in prepare(name).items() if not key.startswith("init_main_from_")}

    with _starting:
        multiprocessing.spawn.get_preparation_data = without_main
        try:
            yield
        finally:
            multiprocessing.spawn.get_preparation_data = prepare


class _ForkServerProcess(multiprocessing.context.ForkServerProcess):
    def start(self) -> None:
        with _main_left_out():
            super().start()


class _SpawnProcess(multiprocessing.context.SpawnProcess):
    def start(self) -> None:
        with _main_left_out():
            super().start()


class _ForkServerContext(multiprocessing.context.ForkServerContext):
    Process = _ForkServerProcess


class _SpawnContext(multiprocessing.context.SpawnContext):
    Process = _SpawnProcess


def processes_of(pool: ProcessPoolExecutor) -> list[BaseProcess]:
    """Returns the processes of a pool. (Without the private name: none, and a death amid sending is not noticed.)"""
    return list((getattr(pool, "_processes", None) or {}).values())


def close_results(pool: ProcessPoolExecutor) -> None:
    """Ends the wait for the rest of a result whose sender has died.

    The pool reads from a pipe of which this process, too, holds the end for writing: it would wait for ever.
    """
    with contextlib.suppress(AttributeError, OSError):  # OSError: it is closed already
        pool._result_queue._writer.close()  # type: ignore[attr-defined]
