"""Calls that are counted by operation, and the one among them that fails."""

from __future__ import annotations

import errno
import os
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

ERRORS = (errno.ENOSPC, errno.EIO, errno.EACCES, errno.ETIMEDOUT)

# Operation and path of calls, in order.
Log = Sequence[tuple[str, str]]

Result = TypeVar("Result")


class ServiceError(Exception):
    """What the client library of a store raises: no OSError."""


class Fault(NamedTuple):
    """A call that fails.

    Attributes:
        operation: of the call.
        number: of the call among those of its operation, from 1.
        error: errno; 0 is an error of a client library, which is no OSError.
        done: whether the operation is done all the same.
        lasting: whether all later calls of all operations fail, too.
    """

    operation: str
    number: int
    error: int
    done: bool = False
    lasting: bool = False

    @property
    def words(self) -> str:
        """What the message has to hold."""
        return os.strerror(self.error) if self.error else "503 Service Unavailable"

    def exception(self, path: str) -> Exception:
        """The error of the call."""
        return OSError(self.error, self.words, path) if self.error else ServiceError(f"{self.words}: {path}")


class Faults:
    """Counts the calls, and has one fail.

    Attributes:
        log: operation and path of each call since the last `plan`, in order.
        hit: whether the fault has come to pass.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = threading.local()
        self.plan(None)

    def plan(self, fault: Fault | None) -> None:
        """Counts from the start, and has another call fail, or none."""
        self._fault = fault
        self._calls: Counter[str] = Counter()
        self._counts = True
        self.log: list[tuple[str, str]] = []
        self.hit = False

    def rest(self) -> None:
        """Ends the counting and the failing; what there was until now is kept."""
        self._counts = False

    def call(
        self,
        operation: str,
        path: str,
        function: Callable[[], Result],
        *,
        spoil: Callable[[], object] = lambda: None,
    ) -> Result:
        """Calls a function, or has it fail; what it calls in its turn is not counted.

        Args:
            operation: name of the operation.
            path: that it is about.
            function: does it.
            spoil: does a part of it, before it fails.
        """
        if not self._counts or getattr(self._inside, "call", False):
            return function()
        fault = self._count(operation, path)
        self._inside.call = True
        try:
            if fault is None:
                return function()
            if fault.done:
                function()
            else:
                spoil()
            raise fault.exception(path)
        finally:
            self._inside.call = False

    def _count(self, operation: str, path: str) -> Fault | None:
        """The fault, where it is this call that fails."""
        with self._lock:
            self._calls[operation] += 1
            self.log.append((operation, path))
            fault = self._fault
            if fault is None or (self.hit and not fault.lasting):
                return None
            self.hit = self.hit or (operation, self._calls[operation]) == fault[:2]
            return fault if self.hit else None


def numbers_of(log: Log, *, since: str = "") -> dict[str, list[int]]:
    """Numbers of the calls of each operation, from the first call on whose path has a text in it."""
    numbers: dict[str, list[int]] = {}
    seen: Counter[str] = Counter()
    begun = False
    for operation, path in log:
        begun = begun or since in path
        seen[operation] += 1
        if begun:
            numbers.setdefault(operation, []).append(seen[operation])
    return numbers
