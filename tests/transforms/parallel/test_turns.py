"""Turns: one after the other."""

from __future__ import annotations

import threading
import time

import pytest

from maskmill.transforms.parallel.turns import Turn, in_turn


def test_turns_come_in_the_order_in_which_they_were_taken() -> None:
    turns = [Turn() for _ in range(5)]
    done: list[int] = []

    def work(number: int) -> None:
        for _ in in_turn(range(3), turns[number]):
            done.append(number)
            time.sleep(0.001)

    threads = [threading.Thread(target=work, args=(number,)) for number in reversed(range(5))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert done == sorted(done)
    assert len(done) == 15


def test_the_first_item_is_fetched_before_the_turn_and_no_other() -> None:
    before, turn = Turn(), Turn()
    fetched: list[int] = []

    def items() -> object:
        for item in range(3):
            fetched.append(item)
            yield item

    thread = threading.Thread(target=lambda: list(in_turn(items(), turn)))
    thread.start()
    time.sleep(0.1)
    assert fetched == [0]
    before.end()
    thread.join(10)
    assert fetched == [0, 1, 2]


def test_a_turn_ends_with_an_error_and_where_nobody_made_use_of_it() -> None:
    failing, unused, last = Turn(), Turn(), Turn()
    with pytest.raises(ZeroDivisionError):
        list(in_turn((1 // 0 for _ in "a"), failing))
    unused.end()
    assert list(in_turn("ab", last)) == ["a", "b"]


def test_a_turn_that_is_not_made_use_of_does_not_let_others_pass() -> None:
    first, unused, last = Turn(), Turn(), Turn()
    done: list[str] = []
    threads = [threading.Thread(target=unused.end), threading.Thread(target=lambda: done.extend(in_turn("x", last)))]
    for thread in threads:
        thread.start()
    time.sleep(0.1)
    assert done == []
    first.end()
    for thread in threads:
        thread.join(10)
    assert done == ["x"]
