"""Progress of a run, for the eyes."""

from __future__ import annotations

import io
import time

import pytest

from maskmill.pipeline.messages import progress_bar
from maskmill.pipeline.messages.progress_bar import show_progress
from maskmill.pipeline.messages.quantities import format_bytes
from maskmill.pipeline.messages.summary import summarise
from maskmill.transforms.parallel.progress import Progress


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


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (99_940, "99.9 kB"),
        (99_960, "100 kB"),
        (999_600, "1.0 MB"),
        (2.34e9, "2.3 GB"),
        (5e15, "5000.0 TB"),
    ],
)
def test_a_number_of_bytes_is_for_people(count: float, text: str) -> None:
    assert format_bytes(count) == text


@pytest.mark.parametrize("stream", [io.StringIO(), Terminal()])
def test_quiet_shows_nothing(stream: io.StringIO) -> None:
    assert work(stream, quiet=True) == ""


def test_summary_is_for_people() -> None:
    shard = {"file": "x", "examples": 3, "bytes": 10, "sha256": "", "fingerprint": ""}
    manifest = {
        "rows": {"read": 10, "in_examples": 4, "filtered": {"of another class": 6, "in no split": 0}, "merged": 1},
        "splits": {"train_input": {"examples": 3, "bytes": 2_500_000, "overlaps": {"pixels": 0}, "shards": [shard]}},
        "rejected": {"CLASS_INVALID": 2, "IMAGE_EMPTY": 1},
        "shared_images": 1,
    }
    assert summarise(manifest, "out", {"written": 1}, 1.5).splitlines() == [
        "10 rows read, 4 of them in examples",
        "  6 filtered: of another class",
        "  1 merged with an earlier row of the same example",
        "3 rejected: 2 CLASS_INVALID, 1 IMAGE_EMPTY; they are listed in out/rejected.jsonl",
        "train_input: 3 examples in 1 shard, 2.50MB",
        "warning: 1 image in more than one split",
        "1.5 s, 2 examples a second",
        "the dataset is in out; to look at it: maskmill report out",
    ]
    assert "nothing to do: no shard has changed; 1.5 s" in summarise(manifest, "out", {}, 1.5)
    manifest["splits"]["train_input"]["shards"].append(shard)
    states = {"written": 1, "kept": 1, "reused": 0}
    assert "1 of 2 shards are kept, the others are new; 1.5 s" in summarise(manifest, "out", states, 1.5)
    states = {"written": 0, "kept": 0, "reused": 2}
    assert "2 of 2 shards are taken from an earlier dataset; 1.5 s" in summarise(manifest, "out", states, 1.5)
