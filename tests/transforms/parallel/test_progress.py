"""Examples are counted from threads and from processes."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import threading
from multiprocessing.sharedctypes import Synchronized

from maskmill.transforms.parallel.progress import Progress


def test_examples_of_all_threads_are_counted_until_it_restarts() -> None:
    progress = Progress()
    progress.expect(4000)

    def work() -> None:
        for _ in range(1000):
            progress.add(1)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (progress.expected, progress.done) == (4000, 4000)
    progress.restart()
    assert (progress.expected, progress.done) == (None, 0)


def test_what_other_processes_count_is_included_and_restarts_too() -> None:
    number = multiprocessing.get_context("spawn").Value(ctypes.c_longlong)
    here, there = Progress(), Progress()
    here.add_others(number)
    there.count_in(number)  # as in a process of the pool
    here.add(2)
    there.add(5)
    assert (here.done, there.done) == (7, 0)
    here.restart()
    assert (here.done, number.value) == (0, 0)


def die_counting(number: Synchronized[int]) -> None:
    """Kills its process while it holds the lock of a number that processes share."""
    number.value += 2
    number.get_lock().acquire()
    os.kill(os.getpid(), signal.SIGKILL)


def test_nobody_waits_for_a_process_that_dies_while_it_counts() -> None:
    context = multiprocessing.get_context("spawn")
    number = context.Value(ctypes.c_longlong)
    process = context.Process(target=die_counting, args=(number,))
    process.start()
    process.join(60)
    assert not number.get_lock().acquire(block=False)
    found = []

    def count() -> None:
        progress = Progress()
        progress.add_others(number)
        progress.add(3)
        found.append(progress.done)
        progress.restart()
        found.append(progress.done)

    counting = threading.Thread(target=count, daemon=True)
    counting.start()
    counting.join(20)
    assert found == [5, 0]
