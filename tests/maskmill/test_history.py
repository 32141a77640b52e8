"""Lines of history.jsonl: sealed ones, older ones without a seal, and damaged ones."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from maskmill.history import check_history, read_lines
from maskmill.manifest import seal_line

ENTRY = {
    "run": "a",
    "started": "2026-01-01T00:00:00+00:00",
    "finished": "2026-01-01T00:00:09+00:00",
    "version": "0.1.0",
    "runner": "FnApiRunner",
    "shards": {"train_input": {"written": 2, "kept": 0, "reused": 0}},
    "examples": {"train_input": 3},
    "rejected": 0,
}
SEALED = seal_line(ENTRY)
OLD = json.dumps(ENTRY).encode()
CHANGED = "was changed after it was written"


def old(**changes: Any) -> bytes:
    return json.dumps({**ENTRY, **changes}).encode()


def without(key: str) -> bytes:
    return json.dumps({name: value for name, value in ENTRY.items() if name != key}).encode()


LINES: dict[str, tuple[list[bytes], list[str]]] = {
    "sealed": ([SEALED], [""]),
    "old": ([OLD], [""]),
    "old before sealed": ([OLD, OLD, SEALED, SEALED], ["", "", "", ""]),
    "old behind sealed": ([OLD, SEALED, OLD], ["", "", "has no checksum, and a line before it has one"]),
    "damaged among whole": ([SEALED, SEALED.replace(b"Fn", b"Gn"), SEALED], ["", CHANGED, ""]),
    "seal renamed": ([SEALED.replace(b"sha256", b"sha257")], [CHANGED]),
    "seal in capitals": ([SEALED[:-9] + SEALED[-9:].upper()], [CHANGED]),
    "further key": ([old(more=1)], [CHANGED]),
    "key missing": ([without("runner")], [CHANGED]),
    "key renamed": ([OLD.replace(b'"run"', b'"sun"')], [CHANGED]),
    "no time": ([old(started="yesterday")], [CHANGED]),
    "number as text": ([old(rejected="0")], [CHANGED]),
    "shards no mapping": ([old(shards=[1])], [CHANGED]),
    "run no text": ([old(run=7)], [CHANGED]),
    "list": ([b"[]"], [CHANGED]),
    "number": ([b"1"], [CHANGED]),
    "text": ([b'"a"'], [CHANGED]),
    "blank": ([b"", SEALED], [CHANGED, ""]),
    "no UTF-8": ([b"\xff"], [CHANGED]),
    "two lines in one": ([SEALED + b"\x0b" + SEALED], [CHANGED]),
    "carriage return": ([SEALED + b"\r"], [CHANGED]),
}


@pytest.mark.parametrize("case", LINES)
def test_what_is_wrong_with_a_line_is_said(case: str) -> None:
    lines, problems = LINES[case]
    read = read_lines(b"".join(line + b"\n" for line in lines))
    assert [line.problem for line in read] == problems
    assert [line.text for line in read] == lines
    assert [line.entry is None for line in read] == [bool(problem) for problem in problems]


@pytest.mark.parametrize(
    ("text", "format_version", "problems"),
    [
        (SEALED + b"\n", 4, []),
        (None, 4, ["history.jsonl: is missing"]),
        (None, 3, []),
        (b"", 4, ["history.jsonl: is empty"]),
        (SEALED, 4, ["history.jsonl: line 1 is cut off"]),
        (SEALED + b"\n" + SEALED[:40], 4, ["history.jsonl: line 2 is cut off"]),
        (b"\n", 4, [f"history.jsonl: line 1 {CHANGED}"]),
    ],
)
def test_a_history_is_checked(text: bytes | None, format_version: int, problems: Sequence[str]) -> None:
    assert list(check_history(text, format_version)) == problems


def test_a_line_that_only_lacks_its_end_is_still_read() -> None:
    assert [line.entry for line in read_lines(SEALED)] == [json.loads(SEALED)]


@pytest.mark.parametrize("place", range(len(SEALED) + 1))
def test_every_bit_of_a_sealed_line_counts(place: int) -> None:
    text = SEALED + b"\n"
    for bit in range(8):
        flipped = text[:place] + bytes([text[place] ^ 1 << bit]) + text[place + 1 :]
        assert list(check_history(flipped, 4)), f"byte {place}, bit {bit}"
