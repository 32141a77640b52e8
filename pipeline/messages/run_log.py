"""Writes messages on standard error: text for people, or one JSON object a line for programs."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import itertools
import json
import logging
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from maskmill.pipeline.messages.progress_bar import Watch

TEXT, JSON = "text", "json"
_LEVELS = {"warning": "warning", "failed": "error", "stopped": "error"}
_PREFIXES = {"warning": "warning: ", "failed": "maskmill: ", "stopped": "\nstopped: "}


def is_json(arguments: Sequence[str]) -> bool:
    """Whether a command line asks for JSON, even if it is wrong otherwise."""
    spelt = [argument.replace("--log-format", "--log_format") for argument in arguments]
    return f"--log_format={JSON}" in spelt or ("--log_format", JSON) in itertools.pairwise(spelt)


@dataclasses.dataclass(frozen=True)
class RunLog:
    """Reports what happens in a run.

    Attributes:
        err: stream that takes the messages.
        as_json: whether each line is an object: time, level, event, message, and the values of the event.
        quiet: whether steps are not reported.
        watch: what a program that called a function of maskmill wants to see of its progress; None for a command.
        warnings: those that were reported so far.
    """

    err: TextIO
    as_json: bool = False
    quiet: bool = False
    watch: Watch | None = None
    warnings: list[str] = dataclasses.field(default_factory=list)

    def tell(self, event: str, message: str, **values: object) -> None:
        """Reports an event to people and programs: the message as text, or an object with its values."""
        if event == "warning":
            self.warnings.append(message)
        if self.as_json:
            self.record(event, message, **values)
        else:
            self.err.write(f"{_PREFIXES.get(event, '')}{message}\n")
            self.err.flush()

    def record(self, event: str, message: str, **values: object) -> None:
        """Reports an event to programs only; people see it elsewhere."""
        if self.as_json:
            self.err.write(_line(_LEVELS.get(event, "info"), event, message, values))
            self.err.flush()

    @contextlib.contextmanager
    def step(self, name: str) -> Iterator[dict[str, object]]:
        """Reports to programs that a step of a run has succeeded, and how long it took.

        Yields:
            a dict to which the body adds values that are reported, too.
        """
        started = time.monotonic()
        counts: dict[str, object] = {}
        yield counts
        if not self.quiet:
            seconds = round(time.monotonic() - started, 3)
            self.record("step", f"{name} is done", step=name, seconds=seconds, **counts)


class JsonFormatter(logging.Formatter):
    """Formats messages of the logging module, such as Beam's, as objects of the event "log"."""

    def format(self, record: logging.LogRecord) -> str:
        """Returns one line."""
        values = {"logger": record.name}
        if record.exc_info:
            values["traceback"] = self.formatException(record.exc_info)
        return _line(record.levelname.lower(), "log", record.getMessage(), values).rstrip("\n")


def _line(level: str, event: str, message: str, values: dict[str, object] | dict[str, str]) -> str:
    now = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds")
    return json.dumps({"time": now, "level": level, "event": event, "message": message, **values}) + "\n"
