"""Progress of a run, for the eyes."""

from __future__ import annotations

import io
import time

import pytest

from maskmill.pipeline.messages import progress_bar
from maskmill.pipeline.messages.progress_bar import expect_examples, show_progress
from maskmill.transforms.assignment.splits import SplitSize
from maskmill.transforms.parallel.progress import PROGRESS, Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def work(stream: io.StringIO, until: str = "", *, quiet: bool = False, unit: str = "images", scale: int = 1) -> str:
    """Shows the progress of a piece of work: 30 of 40 images, or as many times that as `scale` says.

    The work does not end before what is to be seen is there; on a busy machine that may take a while.
    """
    progress = Progress()
    with show_progress(progress, stream, quiet=quiet, unit=unit):
        progress.expect(40 * scale)
        for _ in range(3):
            progress.add(10 * scale)
            time.sleep(0.05)
        deadline = time.monotonic() + 30
        while until not in stream.getvalue() and time.monotonic() < deadline:
            time.sleep(0.01)
    return stream.getvalue()


@pytest.fixture(autouse=True)
def _quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress_bar, "BAR_SECONDS", 0.01)
    monkeypatch.setattr(progress_bar, "LINE_SECONDS", 0.03)


def test_a_terminal_sees_a_bar_with_the_images_done_of_all() -> None:
    shown = work(Terminal(), "30/40")
    assert "images:" in shown
    assert "30/40" in shown


def test_elsewhere_a_line_comes_now_and_then() -> None:
    lines = work(io.StringIO(), " of 40 images").splitlines()
    assert lines
    assert all(" of 40 images, " in line and " a second" in line for line in lines)


def test_bytes_are_shown_with_their_units() -> None:
    assert "M/40.0M " in work(Terminal(), "M/40.0M ", unit="bytes", scale=10**6)
    lines = work(io.StringIO(), "MB of 40.0 MB", unit="bytes", scale=10**6).splitlines()
    assert lines
    assert all(" MB of 40.0 MB, " in line and " a second" in line for line in lines)


@pytest.mark.parametrize("stream", [io.StringIO(), Terminal()])
def test_quiet_shows_nothing(stream: io.StringIO) -> None:
    assert work(stream, quiet=True) == ""


def test_the_examples_of_all_splits_are_expected() -> None:
    try:
        expect_examples({"train_input": SplitSize(3, 10), "eval_input": SplitSize(2, 10)})
        assert PROGRESS.expected == 5
    finally:
        PROGRESS.restart()
