"""Threads with a ticket work one after the other, in the order of their tickets."""

from __future__ import annotations

import threading
import time

import pytest

from maskmill.transforms.parallel.ticket_lock import Ticket, while_holding


def test_tickets_come_first_in_the_order_in_which_they_were_taken() -> None:
    tickets = [Ticket() for _ in range(5)]
    done: list[int] = []

    def work(number: int) -> None:
        for _ in while_holding(range(3), tickets[number]):
            done.append(number)
            time.sleep(0.001)

    threads = [threading.Thread(target=work, args=(number,)) for number in reversed(range(5))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert done == sorted(done)
    assert len(done) == 15


def test_only_the_first_item_is_taken_before_the_ticket_is_first() -> None:
    before, ticket = Ticket(), Ticket()
    fetched: list[int] = []

    def items() -> object:
        for item in range(3):
            fetched.append(item)
            yield item

    thread = threading.Thread(target=lambda: list(while_holding(items(), ticket)))
    thread.start()
    time.sleep(0.1)
    assert fetched == [0]
    before.release()
    thread.join(10)
    assert fetched == [0, 1, 2]


def test_an_error_releases_the_ticket_and_an_unused_ticket_can_be_released() -> None:
    failing, unused, last = Ticket(), Ticket(), Ticket()
    with pytest.raises(ZeroDivisionError):
        list(while_holding((1 // 0 for _ in "a"), failing))
    unused.release()
    assert list(while_holding("ab", last)) == ["a", "b"]


def test_releasing_an_unused_ticket_lets_nobody_overtake() -> None:
    first, unused, last = Ticket(), Ticket(), Ticket()
    done: list[str] = []
    working = threading.Thread(target=lambda: done.extend(while_holding("x", last)))
    threads = [threading.Thread(target=unused.release), working]
    for thread in threads:
        thread.start()
    time.sleep(0.1)
    assert done == []
    first.release()
    for thread in threads:
        thread.join(10)
    assert done == ["x"]
