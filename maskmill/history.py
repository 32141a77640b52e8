"""Reads history.jsonl: a line for each run that has published a dataset, sealed so that a damaged one is seen."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from maskmill.manifest import unseal_line
from maskmill.names import HISTORY

KEYS = frozenset({"run", "started", "finished", "version", "runner", "shards", "examples", "rejected"})
# Datasets of earlier formats may have been made before there was a history.
FIRST_FORMAT = 4


class HistoryLine(NamedTuple):
    """A line of history.jsonl.

    Attributes:
        text: the line, without its end.
        entry: what it says; None if it is damaged.
        problem: what is wrong with it; "" if it is whole.
    """

    text: bytes
    entry: Mapping[str, Any] | None
    problem: str = ""


def read_lines(text: bytes) -> list[HistoryLine]:
    """Reads the lines of a history.

    Lines of earlier versions have no seal, and come before all that have one: of these, only the form can be checked.

    Args:
        text: content of the file.
    """
    *lines, rest = text.split(b"\n")
    read = []
    sealed = False
    for line in lines:
        read.append(_read_line(line, sealed=sealed))
        sealed = sealed or "sha256" in (read[-1].entry or ())
    if rest:
        read.append(_read_line(rest, sealed=sealed)._replace(problem="is cut off"))
    return read


def _read_line(line: bytes, *, sealed: bool) -> HistoryLine:
    try:
        return HistoryLine(line, unseal_line(line))
    except ValueError:
        entry = _parse_unsealed(line)
    if entry is None:
        return HistoryLine(line, None, "was changed after it was written")
    if sealed:
        return HistoryLine(line, None, "has no checksum, and a line before it has one")
    return HistoryLine(line, entry)


def _parse_unsealed(line: bytes) -> Mapping[str, Any] | None:
    try:
        content = json.loads(line)
        return content if content.keys() == KEYS and _has_readable_values(content) else None
    except (ValueError, TypeError, AttributeError):
        return None


def _has_readable_values(content: Mapping[str, Any]) -> bool:
    """Whether readers of an entry find what they expect; may also raise ValueError, TypeError or AttributeError."""
    for key in ("started", "finished"):
        datetime.datetime.fromisoformat(content[key])
    states = [count for counts in content["shards"].values() for count in counts.values()]
    numbers = [*states, *content["examples"].values(), content["rejected"]]
    texts = [content[key] for key in ("run", "version", "runner")]
    return all(type(number) is int for number in numbers) and all(isinstance(text, str) for text in texts)


def seconds_of(entry: Mapping[str, Any]) -> float:
    """Returns the duration of a run, from its start until its dataset was published, in seconds."""
    started, finished = (datetime.datetime.fromisoformat(entry[key]) for key in ("started", "finished"))
    return (finished - started).total_seconds()


def is_sealed(text: bytes) -> bool:
    """Whether a history has a line that can only be maskmill's."""
    return any("sha256" in line.entry for line in read_lines(text) if line.entry)


def check_history(text: bytes | None, format_version: int) -> Iterator[str]:
    """Checks the history of a dataset.

    Args:
        text: content of the file; None if there is no such file.
        format_version: of the dataset.

    Yields:
        one message for each problem.
    """
    if text is None:
        if format_version >= FIRST_FORMAT:
            yield f"{HISTORY}: is missing"
        return
    lines = read_lines(text)
    if not lines:
        yield f"{HISTORY}: is empty"
    yield from (f"{HISTORY}: line {number} {line.problem}" for number, line in enumerate(lines, 1) if line.problem)
