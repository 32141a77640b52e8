"""`maskmill diff`: says how two datasets differ."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from maskmill.pipeline.arguments.argument_types import folder
from maskmill.pipeline.arguments.parser import refuse_unknown

HELP = "say how two datasets differ"
_DESCRIPTION = """\
Says how two datasets differ: examples that were added or removed, that have another image or mask, or are in another
split; parameters; numbers of examples by class. Images and masks are compared as they are stored, where the files
beside the shards do not prove that they are the same.
"""
_EPILOG = """\
exit status:
  0  the datasets are the same
  1  they differ
  2  wrong usage
  4  one of them is damaged, or there is none
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Defines the command's arguments."""
    parser.description, parser.epilog = _DESCRIPTION, _EPILOG
    parser.add_argument("old", type=folder, metavar="A", help="folder of the old dataset")
    parser.add_argument("new", type=folder, metavar="B", help="folder of the new dataset")
    parser.add_argument("--json", action="store_true", help="for programs, with the names of all images")
    parser.add_argument("--quiet", action="store_true", help="no progress")
    parser.add_argument("--debug", action="store_true", help="tracebacks")


def run(parsed: argparse.Namespace, rest: Sequence[str]) -> int:
    """Runs the command; returns the exit status."""
    from maskmill.pipeline.diff.compare_datasets import compare_datasets
    from maskmill.pipeline.diff.describe import describe, to_json

    refuse_unknown(rest, parsed.known_options)
    difference = compare_datasets(parsed.old, parsed.new, quiet=parsed.quiet, err=sys.stderr)
    sys.stdout.write(to_json(difference) if parsed.json else describe(difference, parsed.old, parsed.new))
    return 0 if difference.same else 1
