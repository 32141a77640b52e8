"""`maskmill plan`: says what `create` would do, and changes nothing."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence

from maskmill.pipeline.arguments.create_arguments import add_create_arguments, create_arguments
from maskmill.pipeline.arguments.runner_help import add_plan_help
from maskmill.pipeline.messages.run_log import RunLog
from maskmill.pipeline.runners.import_beam import import_beam

HELP = "say what create would do"
_DESCRIPTION = """\
Says what `create` with the same arguments would do: rows, rejects, examples, shards, and which are there already.
It reads the CSV and lists the images, decodes none, and changes nothing. It takes all arguments of
`create`; those without an effect here are not shown.
"""
# Help on arguments of `create` that have another effect on a plan, or none.
_HELP = {
    "workers": "cores that --verify uses (default: all)",
    "log_format": "json: an error is an object on standard error (default: %(default)s)",
    "quiet": "no progress of --verify",
    "no_lock": argparse.SUPPRESS,
    "metrics_file": argparse.SUPPRESS,
    "report": argparse.SUPPRESS,
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Defines the command's arguments."""
    parser.description = _DESCRIPTION
    parser.add_argument("--json", action="store_true", help="for programs")
    add_create_arguments(parser)
    for action in parser._actions:
        action.help = _HELP.get(action.dest, action.help)
    add_plan_help(parser)


def run(parsed: argparse.Namespace, rest: Sequence[str]) -> None:
    """Runs the command; `rest` are options of Beam."""
    import_beam()
    from maskmill.pipeline.plan.plan_dataset import plan_dataset
    from maskmill.pipeline.runners.beam_options import check_beam_options

    beam_options = check_beam_options(rest, parsed.known_options)
    plan = plan_dataset(create_arguments(parsed, beam_options), RunLog(sys.stderr, parsed.json))
    print(json.dumps(plan.to_json(), indent=4) if parsed.json else plan)
