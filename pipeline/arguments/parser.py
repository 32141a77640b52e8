"""Defines the parser class, and what all commands share: exit statuses, unknown options."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NoReturn

from maskmill.pipeline.arguments.help_format import HelpFormatter
from maskmill.pipeline.arguments.hints import find_hint, find_wrong_dashes, nearest
from maskmill.pipeline.arguments.known_options import KnownOptions
from maskmill.pipeline.arguments.spelling import respell
from maskmill.pipeline.errors import UsageError
from maskmill.pipeline.messages.this_program import this_program

EXIT_STATUSES = """\
exit status:
  0    done, or nothing to do
  1    the run failed; nothing was published, unless it was the metrics or the report that could not be written
  2    wrong usage, parameter file or input; nothing was done
  3    more rows or images are bad than --max_rejected allows; nothing was published
  4    verify, diff: the dataset is damaged, or there is none
  5    fewer examples than --min_examples, or more change than --max_change allows; nothing was published
  130  stopped by Ctrl-C
  143  stopped by SIGTERM
"""


class Parser(argparse.ArgumentParser):
    """Takes options with hyphens or underscores, and reports wrong usage in a line that says what was meant.

    It takes no abbreviations, because one would let a typo pass, and no option twice with different values. The result
    of parsing has a description of the command for `refuse_unknown`, as `known_options`.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(allow_abbrev=False, formatter_class=HelpFormatter, **kwargs)
        for name in (None, "store"):
            self.register("action", name, _StoreOnce)
        self.others: Mapping[str, Iterable[str]] = {}
        self.given: list[str] = []
        self.values: dict[str, object] = {}

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parses a command line, and returns what it cannot parse, too."""
        self.given = respell(sys.argv[1:] if args is None else args, self._option_string_actions)
        self.values.clear()
        if (known := self.known_options).command:
            if wrong := find_wrong_dashes(known):
                refuse_unknown([wrong], known)
            self.set_defaults(known_options=known)
        return super().parse_known_args(self.given, namespace)

    @property
    def known_options(self) -> KnownOptions:
        """What the command takes, and what was given."""
        positionals = (action for action in self._actions if not action.option_strings)
        return KnownOptions(
            command=" ".join(self.prog.split()[1:]),
            options=tuple(self._option_string_actions),
            switches=tuple(name for name, action in self._option_string_actions.items() if action.nargs == 0),
            positionals=tuple(str(action.metavar) for action in positionals),
            takes_beam_options=bool(self.get_default("takes_beam_options")),
            others=self.others,
            given=tuple(self.given),
        )

    def error(self, message: str) -> NoReturn:
        """Reports wrong usage; an unknown argument rather than a missing one, which it may be meant to be."""
        if "arguments are required" in message:
            self._refuse_unknown()
        message = re.sub(r"ignored explicit argument ('.*')", r"takes no value; remove \1", message)
        raise _usage_error(message, self.prog)

    def _refuse_unknown(self) -> None:
        for action in self._actions:
            action.required = False
        self.values.clear()
        _, unknown = super().parse_known_args(self.given)
        beam_options: list[str] = []
        if unknown and self.known_options.takes_beam_options:
            from maskmill.pipeline.runners.import_beam import import_beam

            import_beam()
            from maskmill.pipeline.runners.beam_options import find_unknown

            unknown, beam_options = find_unknown(unknown)
        refuse_unknown(unknown, self.known_options, beam_options)

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is not None and value not in action.choices:
            near = nearest(str(value), action.choices)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise argparse.ArgumentError(action, f"{value!r} is none of {', '.join(action.choices)}{hint}")


class _StoreOnce(argparse._StoreAction):
    """Stores the value of an option, which may be given twice only if it says the same."""

    def __call__(self, parser: Any, namespace: argparse.Namespace, values: Any, option_string: Any = None) -> None:
        before = parser.values.setdefault(self.dest, values)
        if before != values:
            raise argparse.ArgumentError(self, f"given twice, with {before} and with {values}; give it once")
        super().__call__(parser, namespace, values, option_string)


def refuse_unknown(unknown: Sequence[str], known: KnownOptions, beam_options: Iterable[str] = ()) -> None:
    """Refuses arguments that no option takes.

    Args:
        unknown: what is left of the command line.
        known: the command.
        beam_options: all options of Beam, if it reads those of the command.

    Raises:
        UsageError: there are any; the message says what was meant by the first.
    """
    if unknown:
        hint = find_hint(unknown[0], known, beam_options)
        name = unknown[0].split("=", 1)[0] or unknown[0]
        raise _usage_error(f"unknown argument {name}; {hint}", f"maskmill {known.command}")


def _usage_error(message: str, prog: str) -> UsageError:
    return UsageError(f"{message}\n({' '.join([this_program(), *prog.split()[1:], '--help'])} explains)")
