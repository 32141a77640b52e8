"""How far the work in this process is, for whoever shows it; never data."""

from __future__ import annotations

import threading


class Progress:
    """Counts of the examples that are expected and done, from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.expected: int | None = None
        self.done = 0

    def expect(self, examples: int) -> None:
        """Says how many examples there will be."""
        self.expected = examples

    def add(self, examples: int) -> None:
        """Says that so many more examples are done."""
        with self._lock:
            self.done += examples

    def restart(self) -> None:
        """Forgets what was counted."""
        self.expected, self.done = None, 0


PROGRESS = Progress()
