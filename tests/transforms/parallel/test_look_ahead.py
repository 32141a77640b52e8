"""Calls run ahead, within the window, and their results come in order."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from maskmill.transforms.parallel.look_ahead import map_ahead


@pytest.fixture(name="pool")
def make_pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as pool:
        yield pool


@pytest.mark.parametrize("window", [1, 2, 64])
def test_results_come_in_the_order_of_the_items(pool: ThreadPoolExecutor, window: int) -> None:
    def slow_if_even(item: int) -> int:
        time.sleep(0.01 if item % 2 == 0 else 0)
        return item * item

    assert list(map_ahead(slow_if_even, range(20), pool, window)) == [i * i for i in range(20)]


@pytest.mark.parametrize("window", [1, 3, 8])
def test_no_more_than_the_window_is_taken_ahead(pool: ThreadPoolExecutor, window: int) -> None:
    taken = 0

    def items() -> Iterator[int]:
        nonlocal taken
        for item in range(50):
            taken += 1
            yield item

    for seen, _ in enumerate(map_ahead(str, items(), pool, window), start=1):
        assert taken <= seen + window


def test_an_error_comes_at_its_turn_and_ends_the_work(pool: ThreadPoolExecutor) -> None:
    started = threading.Semaphore(0)

    def fail_at_three(item: int) -> int:
        started.release()
        if item == 3:
            raise OSError("disk on fire")
        return item

    results = map_ahead(fail_at_three, range(1000), pool, 4)
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(OSError, match="disk on fire"):
        next(results)
    assert started._value <= 3 + 4
