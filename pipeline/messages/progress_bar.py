"""Shows progress: a bar on a terminal or in a notebook, a line now and then elsewhere, or calls of a function."""

from __future__ import annotations

import contextlib
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Protocol, TextIO

from maskmill.pipeline.messages.quantities import format_bytes
from maskmill.transforms.assignment.splits import SplitSize
from maskmill.transforms.parallel.progress import PROGRESS

if TYPE_CHECKING:
    from tqdm import tqdm

BAR_SECONDS = 0.2
LINE_SECONDS = 10.0


# What a program wants to see: nothing (False), a bar that suits a notebook, too (True), or calls of its own function
# with what is done, what is expected (None if it is not known), and the unit.
Watch = bool | Callable[[int, int | None, str], object]


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
    progress: Counts,
    err: TextIO,
    *,
    quiet: bool,
    unit: str = "images",
    tell: Tell | None = None,
    watch: Watch | None = None,
) -> Iterator[None]:
    """Shows progress from a thread of its own while the body runs.

    Args:
        progress: the numbers to show.
        err: stream that shows them.
        quiet: shows nothing.
        unit: "images", "bytes" or "shards".
        tell: takes the lines instead of `err`; then there is no bar.
        watch: what a program wants to see instead of all of these; None for a command.
    """
    if quiet or watch is False:
        yield
    elif callable(watch):
        with _called(progress, unit, watch):
            yield
    elif watch or (tell is None and err.isatty()):
        with _bar(unit, None if watch else err) as bar, _in_thread(_move_bar, progress, bar):
            yield
    else:
        with _in_thread(_show_lines, progress, tell or _writer(err), unit):
            yield


@contextlib.contextmanager
def _in_thread(show: Callable[..., None], *arguments: Any) -> Iterator[None]:
    """Calls a function in a thread while the body runs; its last argument is an event that ends it."""
    stop = threading.Event()
    thread = threading.Thread(target=show, args=(*arguments, stop), daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def expect_examples(sizes: Mapping[str, SplitSize]) -> None:
    """Tells whoever watches this process how many examples all splits of a run have."""
    PROGRESS.expect((PROGRESS.expected or 0) + sum(size.examples for size in sizes.values()))


def _bar(unit: str, err: TextIO | None) -> tqdm[Any]:
    """Makes a bar on a stream; None is wherever a program shows bars: standard error, or the cell of a notebook."""
    from tqdm import tqdm as kind  # most runs show none

    if err is None:
        from tqdm.auto import tqdm as kind  # a subclass, which looks for a notebook

    scaled = unit == "bytes"
    return kind(
        desc=unit,
        unit="B" if scaled else "",
        unit_scale=scaled,
        file=err,
        dynamic_ncols=True,
        leave=False,
        # Else tqdm may leave out what was done last, until its monitor looks after 10 s.
        mininterval=0,
        miniters=1,
    )


def _move_bar(progress: Counts, bar: tqdm[Any], stop: threading.Event) -> None:
    stopped = False
    while not stopped:
        stopped = stop.wait(BAR_SECONDS)
        bar.total = progress.expected
        bar.update(progress.done - bar.n)


@contextlib.contextmanager
def _called(progress: Counts, unit: str, function: Callable[[int, int | None, str], object]) -> Iterator[None]:
    """Calls a function while the body runs. What it raises ends the calls, and not the body."""
    errors: list[Exception] = []
    with _in_thread(_call, progress, unit, function, errors):
        yield
    for error in errors:
        text = f"progress: the function failed and was not called again: {type(error).__name__}: {error}"
        warnings.warn(text, RuntimeWarning, stacklevel=2)


def _call(
    progress: Counts,
    unit: str,
    function: Callable[[int, int | None, str], object],
    errors: list[Exception],
    stop: threading.Event,
) -> None:
    stopped = False
    while not stopped:
        stopped = stop.wait(BAR_SECONDS)
        try:
            function(progress.done, progress.expected, unit)
        except Exception as error:  # noqa: BLE001 - of a function that we do not know
            errors.append(error)
            return


def _writer(err: TextIO) -> Tell:
    def write(line: str, **_: object) -> None:
        err.write(line + "\n")
        err.flush()

    return write


def _show_lines(progress: Counts, tell: Tell, unit: str, stop: threading.Event) -> None:
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
