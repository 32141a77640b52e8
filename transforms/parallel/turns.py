"""Turns: who does the same work at the same time does it one after the other, in the order in which they came."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterable
from typing import TypeVar

Item = TypeVar("Item")

_lock = threading.Lock()
_last: Turn | None = None


class Turn:
    """A place in the order of this process; it is taken when the object is made."""

    def __init__(self) -> None:
        global _last
        self._over = threading.Event()
        with _lock:
            self._before, _last = _last, self

    def wait(self) -> None:
        """Waits until all turns that were taken before are over."""
        if before := self._before:
            before._over.wait()
            self._before = None

    def end(self) -> None:
        """Ends the turn, whether or not it was made use of, once those that were taken before are over."""
        self.wait()
        self._over.set()


def in_turn(items: Iterable[Item], turn: Turn) -> Generator[Item, None, None]:
    """The items, in a turn that ends with them; only the first of them is fetched before it."""
    try:
        for index, item in enumerate(items):
            if index == 0:
                turn.wait()
            yield item
    finally:
        turn.end()
