"""How far the work is, for whoever shows it; never data."""

from __future__ import annotations

import threading
from multiprocessing.sharedctypes import Synchronized


class Progress:
    """Counts of the examples that are expected and done, from any thread, and from processes that share a number.

    Who shows them never waits for these processes: one that is killed while it counts keeps the number's lock for good.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._done = 0
        self._counted_in: Synchronized[int] | None = None
        self._others: Synchronized[int] | None = None
        self.expected: int | None = None

    @property
    def done(self) -> int:
        """Examples that are done."""
        return self._done + (self._others.get_obj().value if self._others is not None else 0)

    def count_in(self, number: Synchronized[int]) -> None:
        """From now on counts what is done in a number that several processes share."""
        self._counted_in = number

    def add_others(self, number: Synchronized[int]) -> None:
        """From now on adds what other processes count in a number."""
        self._others = number

    def expect(self, examples: int) -> None:
        """Says how many examples there will be."""
        self.expected = examples

    def add(self, examples: int) -> None:
        """Says that so many more examples are done."""
        if self._counted_in is not None:
            with self._counted_in.get_lock():
                self._counted_in.value += examples
            return
        with self._lock:
            self._done += examples

    def restart(self) -> None:
        """Forgets what was counted."""
        self.expected, self._done = None, 0
        if self._others is not None:
            self._others.get_obj().value = 0


PROGRESS = Progress()
