"""Defines the parser class, and what all commands share: exit statuses, unknown options."""

from __future__ import annotations

import argparse
import difflib
import itertools
from collections.abc import Iterable, Sequence

from maskmill.pipeline.errors import UsageError
from maskmill.pipeline.messages.this_program import this_program

EXIT_STATUSES = """\
exit status:
  0  done, or nothing to do
  1  the run failed; nothing was published, unless it was the metrics or the report that could not be written
  2  wrong usage, parameter file or input; nothing was done
  3  more rows or images are bad than --max_rejected allows; nothing was published
  4  verify, diff: the dataset is damaged, or there is none
  5  fewer examples than --min_examples, or more change than --max_change allows; nothing was published
"""


class Parser(argparse.ArgumentParser):
    """Reports wrong usage in one line; takes no abbreviations, because one would let a typo pass."""

    def __init__(self, **kwargs: object) -> None:
        super().__init__(allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter, **kwargs)  # type: ignore[arg-type]

    def error(self, message: str) -> None:  # type: ignore[override]
        help_command = " ".join([this_program(), *self.prog.split()[1:], "--help"])
        raise UsageError(f"{message}\n({help_command} explains)")


def refuse_unknown(unknown: Sequence[str], *known: Iterable[str]) -> None:
    """Refuses arguments that no option takes.

    Args:
        unknown: what is left of the command line.
        known: option strings that might have been meant.

    Raises:
        UsageError: there are any; the message names the nearest known option.
    """
    if unknown:
        argument = unknown[0].split("=", 1)[0]
        near = difflib.get_close_matches(argument, itertools.chain(*known), n=1)
        hint = f"did you mean {near[0]}?" if near else "neither maskmill nor Apache Beam has such an option"
        raise UsageError(f"unknown argument {argument}; {hint}")
