"""Serialises the threads of this process that do the same work, in the order of their arrival: a ticket lock."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterable
from typing import TypeVar

Item = TypeVar("Item")

_lock = threading.Lock()
_last: Ticket | None = None


class Ticket:
    """A place in the line of this process, taken when the object is made."""

    def __init__(self) -> None:
        global _last
        self._released = threading.Event()
        with _lock:
            self._before, _last = _last, self

    def wait(self) -> None:
        """Waits until all earlier tickets are released."""
        if before := self._before:
            before._released.wait()
            self._before = None

    def release(self) -> None:
        """Lets the next one pass; waits for all earlier tickets first, even if the work was never done."""
        self.wait()
        self._released.set()


def while_holding(items: Iterable[Item], ticket: Ticket) -> Generator[Item, None, None]:
    """Yields items while the ticket is first in line, and releases it at the end.

    The first item is taken from `items` before the ticket's turn, so that it is ready when the turn comes.
    """
    try:
        for index, item in enumerate(items):
            if index == 0:
                ticket.wait()
            yield item
    finally:
        ticket.release()
