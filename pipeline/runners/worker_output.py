"""Keeps what Beam's workers print off standard error: it is logged instead, which `--debug` shows.

Beam has no option for that. Tried with Beam 2.77.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import traceback
from collections.abc import Iterator

from apache_beam.runners.worker import log_handler, sdk_worker


def log_what_threads_print() -> None:
    """Logs from now on what threads of Beam in this process would print.

    A worker prints the traceback of a step that fails, and logs it, too; the runner gets it as well. If the other end
    of a connection is gone, a thread that reads from it ends with an exception, which Python would print.
    """
    for module in (sdk_worker, log_handler):
        module.print = _ignore
    previous = threading.excepthook

    def log(arguments: threading.ExceptHookArgs) -> None:
        if not _is_of_beam(arguments):
            previous(arguments)
        elif arguments.exc_value:
            logging.getLogger(__name__).error("a thread of Beam failed", exc_info=arguments.exc_value)

    threading.excepthook = log


@contextlib.contextmanager
def logged() -> Iterator[None]:
    """Logs what threads of Beam would print while the body runs."""
    previous = threading.excepthook
    log_what_threads_print()
    try:
        yield
    finally:
        threading.excepthook = previous


def _ignore(*_: object, **__: object) -> None:
    pass


def _is_of_beam(arguments: threading.ExceptHookArgs) -> bool:
    frames = traceback.walk_tb(arguments.exc_traceback)
    return any(frame.f_globals.get("__name__", "").startswith("apache_beam.") for frame, _ in frames)
