"""What of a command line is Beam's, and what is nobody's."""

from __future__ import annotations

import argparse
import difflib
from collections.abc import Iterable, Sequence
from typing import NoReturn

from apache_beam.options.pipeline_options import PipelineOptions

from pipeline.errors import UsageError


class _BeamParser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}, says Apache Beam")


def check_beam_options(arguments: Sequence[str], known_options: Iterable[str]) -> None:
    """Refuses arguments that Beam does not know.

    Args:
        arguments: what is left of the command line.
        known_options: options of the command itself, to suggest.

    Raises:
        UsageError: an argument is unknown, or has a wrong value; names the nearest option.
    """
    parser = _BeamParser(add_help=False, allow_abbrev=False)
    for options in PipelineOptions.__subclasses__():
        options._add_argparse_args(parser)
    _, unknown = parser.parse_known_args(list(arguments))
    if not unknown:
        return
    option = unknown[0].split("=", 1)[0]
    near = difflib.get_close_matches(option, [*known_options, *parser._option_string_actions], n=1)
    hint = f"; did you mean {near[0]}?" if near else "; neither steelbeam nor Apache Beam has such an option"
    raise UsageError(f"unknown argument {option}{hint}")
