"""Progress of a run, for the eyes: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from typing import TextIO

from tqdm import tqdm

from transforms.progress import Progress

BAR_SECONDS = 0.2
LINE_SECONDS = 10.0


@contextlib.contextmanager
def show_progress(progress: Progress, err: TextIO, *, quiet: bool, unit: str = "images") -> Iterator[None]:
    """Shows progress from a thread of its own while the body runs.

    Args:
        progress: what is shown.
        err: where it is shown.
        quiet: shows nothing.
        unit: what is counted, "images" or "bytes".
    """
    if quiet:
        yield
        return
    stop = threading.Event()
    show = _show_bar if err.isatty() else _show_lines
    thread = threading.Thread(target=show, args=(progress, err, stop, unit), daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def format_bytes(count: float) -> str:
    """A number of bytes with three digits and a unit."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 999.5:
            return f"{count:.{0 if unit == 'B' or count >= 99.95 else 1}f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def _show_bar(progress: Progress, err: TextIO, stop: threading.Event, unit: str) -> None:
    scaled = unit == "bytes"
    with tqdm(
        desc=unit, unit="B" if scaled else "", unit_scale=scaled, file=err, dynamic_ncols=True, leave=False
    ) as bar:
        stopped = False
        while not stopped:
            stopped = stop.wait(BAR_SECONDS)
            bar.total = progress.expected
            bar.update(progress.done - bar.n)


def _show_lines(progress: Progress, err: TextIO, stop: threading.Event, unit: str) -> None:
    started = time.monotonic()
    while not stop.wait(LINE_SECONDS):
        if progress.expected:
            err.write(_line(progress.done, progress.expected, time.monotonic() - started, unit) + "\n")
            err.flush()


def _line(done: int, expected: int, seconds: float, unit: str) -> str:
    rate = done / seconds
    left = f", {(expected - done) / rate:.0f} s left" if rate else ""
    if unit == "bytes":
        return f"{format_bytes(done)} of {format_bytes(expected)}, {format_bytes(rate)} a second{left}"
    return f"{done} of {expected} {unit}, {rate:.0f} a second{left}"
