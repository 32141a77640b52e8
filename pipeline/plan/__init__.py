"""`maskmill plan`: says what `create` would do, and changes nothing."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence

from maskmill.pipeline.arguments.create_arguments import add_create_arguments, create_arguments
from maskmill.pipeline.arguments.parser import refuse_unknown
from maskmill.pipeline.messages.run_log import RunLog
from maskmill.pipeline.runners.import_beam import import_beam

HELP = "say what create would do"
_DESCRIPTION = """\
Says what `create` with the same arguments would do: rows, rejects, examples, shards, and which are there already.
It reads the CSV and lists the images, opens none, and changes nothing.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Defines the command's arguments."""
    parser.description = _DESCRIPTION
    parser.add_argument("--json", action="store_true", help="for programs")
    add_create_arguments(parser)


def run(parsed: argparse.Namespace, rest: Sequence[str]) -> None:
    """Runs the command; `rest` are options of Beam."""
    import_beam()
    from maskmill.pipeline.plan.plan_dataset import plan_dataset
    from maskmill.pipeline.runners.beam_options import find_unknown

    refuse_unknown(*find_unknown(rest), parsed.known_options)
    log = RunLog(sys.stderr, parsed.json)
    plan = plan_dataset(create_arguments(parsed, rest), log)
    print(json.dumps(plan.to_json(), indent=4) if parsed.json else plan)
