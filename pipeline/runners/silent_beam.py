"""Keeps Beam from printing in the process of another program."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Iterator

_lock = threading.Lock()
_calls = 0
_nobody = logging.NullHandler()


@contextlib.contextmanager
def silent_beam() -> Iterator[None]:
    """Keeps Beam's messages for the handlers that the program has, while the body runs in one thread or in several.

    If the root logger has no handler, Beam gives it one that prints, at every turn; and without any handler, Python
    prints warnings itself.
    """
    global _calls
    root = logging.getLogger()
    logging.getLogger("apache_beam").addHandler(_nobody)  # a second time, it changes nothing
    with _lock:
        _calls += 1
        if not root.handlers:
            root.addHandler(_nobody)
    try:
        yield
    finally:
        with _lock:
            _calls -= 1
            if not _calls:
                root.removeHandler(_nobody)
