"""Lets Ctrl-C through Beam, which turns any exception of a step into one of its own, and keeps it from imports."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Raises KeyboardInterrupt if Ctrl-C ended the body, whatever exception came of it on the way.

    Only in the main thread, where Python raises it, and only if the program has no handler of its own.
    """
    if not _raises_interrupt():
        yield
        return
    interrupted = False

    def interrupt(_: int, __: FrameType | None) -> None:
        nonlocal interrupted
        interrupted = True
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    except Exception:
        if interrupted:
            raise KeyboardInterrupt from None
        raise
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if interrupted:  # a step took it for its own
        raise KeyboardInterrupt


@contextlib.contextmanager
def uninterrupted() -> Iterator[None]:
    """Lets Ctrl-C wait for the end of the body: an import that it ends in the middle cannot be repeated.

    Raises:
        KeyboardInterrupt: at the end of the body, in the main thread, if the program has no handler of its own.
    """
    if not _raises_interrupt():
        yield
        return
    interrupts: list[int] = []
    signal.signal(signal.SIGINT, lambda number, _: interrupts.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        if interrupts:
            raise KeyboardInterrupt


def _raises_interrupt() -> bool:
    """Whether Ctrl-C would raise KeyboardInterrupt in this thread."""
    is_main = threading.current_thread() is threading.main_thread()
    return is_main and signal.getsignal(signal.SIGINT) is signal.default_int_handler
