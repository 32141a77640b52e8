"""How far the work is, for whoever shows it; never data."""

from __future__ import annotations

import threading
from multiprocessing.sharedctypes import Synchronized


class Progress:
    """Counts of the examples that are expected and done, from any thread, and from processes that share a number."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._done = 0
        self._shared: Synchronized[int] | None = None
        self.expected: int | None = None

    @property
    def done(self) -> int:
        """Examples that are done."""
        return self._done + (self._shared.value if self._shared is not None else 0)

    def share(self, number: Synchronized[int]) -> None:
        """From now on counts what is done in a number that other processes count in too."""
        self._shared = number

    def expect(self, examples: int) -> None:
        """Says how many examples there will be."""
        self.expected = examples

    def add(self, examples: int) -> None:
        """Says that so many more examples are done."""
        if self._shared is not None:
            with self._shared.get_lock():
                self._shared.value += examples
            return
        with self._lock:
            self._done += examples

    def restart(self) -> None:
        """Forgets what was counted."""
        self.expected, self._done = None, 0
        if self._shared is not None:
            self._shared.value = 0


PROGRESS = Progress()
