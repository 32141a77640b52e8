"""One program as a whole: how long it takes, and how much memory at its peak."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from typing import NamedTuple

import psutil

POLL_SECONDS = 0.05
# What `ru_maxrss` counts in.
_MAX_RSS_UNIT = 1 if sys.platform == "darwin" else 1024


class Measurement(NamedTuple):
    """What a run took.

    Attributes:
        seconds: from its start to its end, start of the interpreter and imports included.
        cpu_seconds: of all its processes.
        max_rss: peak of the resident memory of its largest process, in bytes, as the system counts it.
        peak_memory: peak of the memory of all its processes together, in bytes; None where it was not watched.
    """

    seconds: float
    cpu_seconds: float
    max_rss: int
    peak_memory: int | None


def _environment() -> dict[str, str]:
    """The environment of a user, in which Python keeps compiled modules instead of compiling them in each run."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def run_measured(command: Sequence[str], cwd: str, *, watch_memory: bool = False) -> Measurement:
    """Runs a program to its end.

    Args:
        command: the program and its arguments.
        cwd: folder in which it runs.
        watch_memory: asks for `peak_memory`. The questions stop the program for a while, the more the larger it is:
            a run that is watched is not one to be timed.

    Raises:
        SystemExit: the program failed; says how, with what it wrote to its standard error.
    """
    with tempfile.TemporaryFile("w+") as errors:
        started = time.perf_counter()
        process = subprocess.Popen(command, cwd=cwd, env=_environment(), stdout=subprocess.DEVNULL, stderr=errors)
        watch = MemoryWatch(process.pid) if watch_memory else None
        try:
            _, status, usage = os.wait4(process.pid, 0)
            seconds = time.perf_counter() - started
            process.returncode = os.waitstatus_to_exitcode(status)
        finally:
            if process.returncode is None:
                process.kill()
            peak = watch.stop() if watch else None
        if process.returncode != 0:
            errors.seek(0)
            raise SystemExit(f"exit status {process.returncode} of {' '.join(command)}\n{errors.read()}")
    max_rss = usage.ru_maxrss * _MAX_RSS_UNIT
    return Measurement(seconds, usage.ru_utime + usage.ru_stime, max_rss, None if peak is None else max(peak, max_rss))


class MemoryWatch:
    """Asks again and again, in a thread, how much memory a process and those below it take together.

    Args:
        pid: of the process.
    """

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)
        self._peak = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> int:
        """Ends the watch; gives the peak, in bytes."""
        self._stop.set()
        self._thread.join()
        return self._peak

    def _watch(self) -> None:
        while not self._stop.wait(POLL_SECONDS):
            self._peak = max(self._peak, memory_of_tree(self._process))


def memory_of_tree(process: psutil.Process) -> int:
    """Memory of a process and of those below it, in bytes; a page that several of them share counts once."""
    try:
        processes = [process, *process.children(recursive=True)]
    except psutil.Error:
        return 0
    return sum(map(_memory_of_process, processes))


def _memory_of_process(process: psutil.Process) -> int:
    try:
        memory = process.memory_full_info()
    except psutil.Error:
        # It has ended in the meantime.
        return 0
    # The proportional share is Linux's; elsewhere what is the process's alone is nearest to it.
    return int(getattr(memory, "pss", memory.uss))
