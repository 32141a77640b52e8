"""What a command says on standard error: text for people, or one JSON object a line for programs."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import itertools
import json
import logging
import time
from collections.abc import Iterator, Sequence
from typing import TextIO

TEXT, JSON = "text", "json"
_LEVELS = {"warning": "warning", "failed": "error", "stopped": "error"}
_PREFIXES = {"warning": "warning: ", "failed": "maskmill: ", "stopped": "\nstopped: "}


def is_json(arguments: Sequence[str]) -> bool:
    """Whether a command line asks for objects, also where it is wrong in something else."""
    return f"--log_format={JSON}" in arguments or ("--log_format", JSON) in itertools.pairwise(arguments)


@dataclasses.dataclass(frozen=True)
class RunLog:
    """Says what happens.

    Attributes:
        err: where it goes.
        as_json: whether each line is an object, with the keys time, level, event and message, and what belongs to it.
        quiet: whether nothing is said of steps.
    """

    err: TextIO
    as_json: bool = False
    quiet: bool = False

    def tell(self, event: str, message: str, **values: object) -> None:
        """Says something to everybody: its message as text, with its values as an object."""
        if self.as_json:
            self.record(event, message, **values)
        else:
            self.err.write(f"{_PREFIXES.get(event, '')}{message}\n")
            self.err.flush()

    def record(self, event: str, message: str, **values: object) -> None:
        """Says something to programs only; people are told elsewhere, or see it."""
        if self.as_json:
            self.err.write(_line(_LEVELS.get(event, "info"), event, message, values))
            self.err.flush()

    @contextlib.contextmanager
    def step(self, name: str) -> Iterator[dict[str, object]]:
        """Says to programs that a step of a run has succeeded, and how long it took.

        Yields:
            what the body puts there is said, too: what it has counted.
        """
        started = time.monotonic()
        counts: dict[str, object] = {}
        yield counts
        if not self.quiet:
            seconds = round(time.monotonic() - started, 3)
            self.record("step", f"{name} is done", step=name, seconds=seconds, **counts)


class JsonFormatter(logging.Formatter):
    """Messages of the logging module, Beam's among them, as objects of the event "log"."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        values = {"logger": record.name}
        if record.exc_info:
            values["traceback"] = self.formatException(record.exc_info)
        return _line(record.levelname.lower(), "log", record.getMessage(), values).rstrip("\n")


def _line(level: str, event: str, message: str, values: dict[str, object] | dict[str, str]) -> str:
    now = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds")
    return json.dumps({"time": now, "level": level, "event": event, "message": message, **values}) + "\n"
