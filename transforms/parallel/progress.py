"""Counts the examples that are done, for display only: the counts are never data.

Runs that a program has under way at the same time count together: each shows the sum.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from multiprocessing.sharedctypes import Synchronized


class Progress:
    """Counts expected and finished examples, in any thread and in processes that share a number.

    Reading the counts never waits for those processes: one that is killed while it counts holds the lock forever.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._done = 0
        self._runs = 0
        self._counted_in: Synchronized[int] | None = None
        self._others: Synchronized[int] | None = None
        self.expected: int | None = None

    @property
    def done(self) -> int:
        """Number of examples that are done."""
        return self._done + (self._others.get_obj().value if self._others is not None else 0)

    def count_in(self, number: Synchronized[int]) -> None:
        """Counts in a number that several processes share, from now on."""
        self._counted_in = number

    def add_others(self, number: Synchronized[int]) -> None:
        """Includes what other processes count in a number, from now on."""
        self._others = number

    def expect(self, examples: int) -> None:
        """Sets the number of expected examples."""
        self.expected = examples

    def add(self, examples: int) -> None:
        """Adds examples that are done."""
        if self._counted_in is not None:
            with self._counted_in.get_lock():
                self._counted_in.value += examples
            return
        with self._lock:
            self._done += examples

    @contextlib.contextmanager
    def of_run(self) -> Iterator[None]:
        """Counts what the body does, from zero unless another run is under way."""
        with self._lock:
            if not self._runs:
                self.restart()
            self._runs += 1
        try:
            yield
        finally:
            with self._lock:
                self._runs -= 1
                if not self._runs:
                    self.restart()

    def restart(self) -> None:
        """Sets all counts to zero."""
        self.expected, self._done = None, 0
        if self._others is not None:
            self._others.get_obj().value = 0


# The progress of this process.
PROGRESS = Progress()
