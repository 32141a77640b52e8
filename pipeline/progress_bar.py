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
def show_progress(progress: Progress, err: TextIO, *, quiet: bool) -> Iterator[None]:
    """Shows progress from a thread of its own while the body runs.

    Args:
        progress: what is shown.
        err: where it is shown.
        quiet: shows nothing.
    """
    if quiet:
        yield
        return
    stop = threading.Event()
    show = _show_bar if err.isatty() else _show_lines
    thread = threading.Thread(target=show, args=(progress, err, stop), daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _show_bar(progress: Progress, err: TextIO, stop: threading.Event) -> None:
    with tqdm(desc="images", unit="", file=err, dynamic_ncols=True, leave=False) as bar:
        stopped = False
        while not stopped:
            stopped = stop.wait(BAR_SECONDS)
            bar.total = progress.expected
            bar.update(progress.done - bar.n)


def _show_lines(progress: Progress, err: TextIO, stop: threading.Event) -> None:
    started = time.monotonic()
    while not stop.wait(LINE_SECONDS):
        if progress.expected:
            rate = progress.done / (time.monotonic() - started)
            left = f", {(progress.expected - progress.done) / rate:.0f} s left" if rate else ""
            err.write(f"{progress.done} of {progress.expected} images, {rate:.0f} a second{left}\n")
            err.flush()
