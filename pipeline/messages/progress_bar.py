"""Shows progress: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Protocol, TextIO

from tqdm import tqdm

from maskmill.pipeline.messages.quantities import format_bytes
from maskmill.transforms.assignment.splits import SplitSize
from maskmill.transforms.parallel.progress import PROGRESS

BAR_SECONDS = 0.2
LINE_SECONDS = 10.0


class Counts(Protocol):
    """What is shown, such as `maskmill.transforms.parallel.progress.Progress`."""

    @property
    def done(self) -> int:
        """Number of units that are done."""

    @property
    def expected(self) -> int | None:
        """Number of all units; None if it is not known (yet)."""


class Tell(Protocol):
    """Takes a line of progress, and the numbers in it."""

    def __call__(self, line: str, *, done: int, expected: int | None, unit: str, seconds: float) -> None:
        """Writes the line."""


@contextlib.contextmanager
def show_progress(
    progress: Counts, err: TextIO, *, quiet: bool, unit: str = "images", tell: Tell | None = None
) -> Iterator[None]:
    """Shows progress from a thread of its own while the body runs.

    Args:
        progress: the numbers to show.
        err: stream that shows them.
        quiet: shows nothing.
        unit: "images", "bytes" or "shards".
        tell: takes the lines instead of `err`; then there is no bar.
    """
    if quiet:
        yield
        return
    stop = threading.Event()
    if tell is None and err.isatty():
        thread = threading.Thread(target=_show_bar, args=(progress, err, stop, unit), daemon=True)
    else:
        lines = (progress, tell or _writer(err), stop, unit)
        thread = threading.Thread(target=_show_lines, args=lines, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def expect_examples(sizes: Mapping[str, SplitSize]) -> None:
    """Tells whoever watches this process how many examples all splits have."""
    PROGRESS.expect(sum(size.examples for size in sizes.values()))


def _show_bar(progress: Counts, err: TextIO, stop: threading.Event, unit: str) -> None:
    scaled = unit == "bytes"
    with tqdm(
        desc=unit,
        unit="B" if scaled else "",
        unit_scale=scaled,
        file=err,
        dynamic_ncols=True,
        leave=False,
        # Else tqdm may leave out what was done last, until its monitor looks after 10 s.
        mininterval=0,
        miniters=1,
    ) as bar:
        stopped = False
        while not stopped:
            stopped = stop.wait(BAR_SECONDS)
            bar.total = progress.expected
            bar.update(progress.done - bar.n)


def _writer(err: TextIO) -> Tell:
    def write(line: str, **_: object) -> None:
        err.write(line + "\n")
        err.flush()

    return write


def _show_lines(progress: Counts, tell: Tell, stop: threading.Event, unit: str) -> None:
    started = time.monotonic()
    while not stop.wait(LINE_SECONDS):
        done, expected, seconds = progress.done, progress.expected, time.monotonic() - started
        if line := _line(done, expected, seconds, unit):
            tell(line, done=done, expected=expected, unit=unit, seconds=round(seconds, 3))


def _line(done: int, expected: int | None, seconds: float, unit: str) -> str | None:
    """Returns a line of progress; None if nothing is known yet."""
    if unit == "shards":
        return f"{done}{f' of {expected}' if expected else ''} shards are finished"
    if not expected:
        return None
    rate = done / seconds
    left = f", {(expected - done) / rate:.0f} s left" if rate else ""
    if unit == "bytes":
        return f"{format_bytes(done)} of {format_bytes(expected)}, {format_bytes(rate)} a second{left}"
    return f"{done} of {expected} {unit}, {rate:.0f} a second{left}"
