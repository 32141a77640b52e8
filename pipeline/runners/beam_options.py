"""Tells the options of Beam from unknown ones, and refuses values that Beam would take without a word."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import NoReturn

from apache_beam.options.pipeline_options import PipelineOptions

from maskmill.pipeline.arguments.argument_types import at_least
from maskmill.pipeline.arguments.known_options import KnownOptions
from maskmill.pipeline.arguments.parser import refuse_unknown
from maskmill.pipeline.arguments.spelling import respell
from maskmill.pipeline.errors import UsageError

# Numbers that Beam does not check, with the least that has a meaning. Beam takes some of them as text.
_LEAST = {
    "direct_num_workers": 0,
    "direct_runner_bundle_repeat": 0,
    "parallelism": 1,
    "max_parallelism": 1,
    "sdk_worker_parallelism": 0,
    "environment_cache_millis": 0,
    "job_server_timeout": 1,
    "job_port": 0,
    "artifact_port": 0,
    "expansion_port": 0,
    "num_workers": 1,
    "max_num_workers": 1,
    "number_of_worker_harness_threads": 1,
    "disk_size_gb": 1,
}


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
        raise UsageError(f"{message} (an option of Apache Beam)")


def find_unknown(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Finds the arguments that Beam does not know.

    Args:
        arguments: arguments that are not maskmill's.

    Returns:
        the unknown arguments, and the names of all options of Beam.

    Raises:
        UsageError: an option of Beam has a wrong value.
    """
    parser = _make_parser()
    _, unknown = parser.parse_known_args(respell(arguments, parser._option_string_actions))
    return unknown, list(parser._option_string_actions)


def check_beam_options(arguments: Sequence[str], known: KnownOptions) -> list[str]:
    """Spells options as Beam does, and refuses those that it does not know.

    Args:
        arguments: arguments that are not maskmill's.
        known: the command.

    Raises:
        UsageError: one is unknown, or an option of Beam has a wrong value.
    """
    spelt = respell(arguments, _make_parser()._option_string_actions)
    if known.command == "create":
        _refuse_dry_run(spelt)
    unknown, options = find_unknown(spelt)
    refuse_unknown(unknown, known, options)
    return spelt


def _refuse_dry_run(arguments: Sequence[str]) -> None:
    """Refuses the option of Dataflow that other runners would ignore, and do all the work."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--dry_run", nargs="?", const=True)
    parser.add_argument("--runner", nargs="?")
    given = parser.parse_known_args(arguments)[0]
    if given.dry_run and "dataflow" not in str(given.runner).lower():
        raise UsageError("--dry_run is an option of Dataflow; `maskmill plan` says what a run would do")


def _make_parser() -> argparse.ArgumentParser:
    parser = _BeamParser(add_help=False, allow_abbrev=False)
    for options in PipelineOptions.__subclasses__():
        options._add_argparse_args(parser)
    for action in parser._actions:
        if action.dest in _LEAST:
            action.type = at_least(_LEAST[action.dest])
    return parser
