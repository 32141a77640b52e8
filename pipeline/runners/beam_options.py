"""Tells the options of Beam from unknown ones."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import NoReturn

from apache_beam.options.pipeline_options import PipelineOptions

from maskmill.pipeline.errors import UsageError


class FlinkBatchOptions(PipelineOptions):
    """Options of Beam's job server for Flink that its Python side does not define."""

    @classmethod
    def _add_argparse_args(cls, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--execution_mode_for_batch",
            choices=("PIPELINED", "PIPELINED_FORCED", "BATCH", "BATCH_FORCED"),
            help="how Flink hands data on; with BATCH_FORCED a failure makes only what it has hit run again",
        )


class _BeamParser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}, says Apache Beam")


def find_unknown(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Finds the arguments that Beam does not know.

    Args:
        arguments: arguments that are not maskmill's.

    Returns:
        the unknown arguments, and the names of all options of Beam.

    Raises:
        UsageError: an option of Beam has a wrong value.
    """
    parser = _BeamParser(add_help=False, allow_abbrev=False)
    for options in PipelineOptions.__subclasses__():
        options._add_argparse_args(parser)
    _, unknown = parser.parse_known_args(list(arguments))
    return unknown, list(parser._option_string_actions)
