"""Defines the errors of a run, each with its exit status."""

from __future__ import annotations

import re
from collections.abc import Mapping


class MaskmillError(Exception):
    """The run failed; the message is written for the person who started it."""

    exit_status = 1


class UsageError(MaskmillError):
    """The command line, the parameter file, or the input that it names is wrong; nothing was done yet."""

    exit_status = 2


class TooManyRejectedError(MaskmillError):
    """More rows and images were rejected than the run allows; nothing was published."""

    exit_status = 3

    def __init__(self, message: str, codes: Mapping[str, int] | None = None) -> None:
        super().__init__(message)
        self.codes = codes or {}


class DamagedError(MaskmillError):
    """A dataset is not what was written, or there is none."""

    exit_status = 4


class ChangedTooMuchError(MaskmillError):
    """The dataset would have fewer examples than the run demands, or differ too much; nothing was published."""

    exit_status = 5


def last_line(error: BaseException) -> str:
    """Returns the last line of an error's text, which may be a runner's traceback, without the stack of Java."""
    lines = [line for line in str(error).splitlines() if line.strip() and not re.match(r"\s+(at |\.\.\. )", line)]
    return lines[-1].strip() if lines else type(error).__name__
