"""Defines the errors of a run, each with its exit status for a shell, and its code for a program."""

from __future__ import annotations

import re
from collections.abc import Mapping

from maskmill.transforms.files.errors import NameNotUtf8Error, NoFileSystemError


class MaskmillError(Exception):
    """The run failed; the message is written for the person who started it.

    Attributes:
        exit_status: of the command.
        code: name of the kind of error, which no later version changes.
    """

    exit_status = 1
    code = "FAILED"


class UsageError(MaskmillError):
    """The command line, the parameter file, or the input that it names is wrong; nothing was done yet."""

    exit_status = 2
    code = "WRONG_USAGE"


class TooManyRejectedError(MaskmillError):
    """More rows and images were rejected than the run allows; nothing was published.

    Attributes:
        codes: number of rejected rows and images, by the code of the reason.
    """

    exit_status = 3
    code = "TOO_MANY_REJECTED"

    def __init__(self, message: str, codes: Mapping[str, int] | None = None) -> None:
        super().__init__(message)
        self.codes = codes or {}


class DamagedError(MaskmillError):
    """A dataset is not what was written, or there is none."""

    exit_status = 4
    code = "DAMAGED"


class ChangedTooMuchError(MaskmillError):
    """The dataset would have fewer examples than the run requires, or differ too much; nothing was published."""

    exit_status = 5
    code = "CHANGED_TOO_MUCH"


def error_of(error: OSError) -> MaskmillError:
    """Returns the error of a run for one of the operating system or of a store."""
    unusable = isinstance(error, (NoFileSystemError, NameNotUtf8Error))
    return UsageError(str(error)) if unusable else MaskmillError(str(error))


def last_line(error: BaseException) -> str:
    """Returns the last line of an error's text, which may be a runner's traceback, without the stack of Java."""
    lines = [line for line in str(error).splitlines() if line.strip() and not re.match(r"\s+(at |\.\.\. )", line)]
    return lines[-1].strip() if lines else type(error).__name__
