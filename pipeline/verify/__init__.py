"""`maskmill verify`: checks that a finished dataset is what was written."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from maskmill.pipeline.arguments.argument_types import folder
from maskmill.pipeline.arguments.parser import EXIT_STATUSES, refuse_unknown

HELP = "check a dataset"
_DESCRIPTION = """\
Checks that a finished dataset is what was written: that every file is there and no other shard is, and that every byte
and every example is as it should be. Of a dataset of create_hdf5_files.py, which has no manifest.json, it checks
structure and counts.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Defines the command's arguments."""
    parser.description, parser.epilog = _DESCRIPTION, EXIT_STATUSES
    parser.add_argument("directory", type=folder, metavar="DIR", help="folder of the dataset")
    parser.add_argument("--quick", action="store_true", help="look at names and sizes only, and read no contents")
    parser.add_argument("--quiet", action="store_true", help="no progress, and no message if the dataset is whole")
    parser.add_argument("--debug", action="store_true", help="tracebacks")


def run(parsed: argparse.Namespace, rest: Sequence[str]) -> None:
    """Runs the command."""
    from maskmill.pipeline.verify.verify_dataset import run_verify

    refuse_unknown(rest, parsed.known_options)
    run_verify(parsed.directory, quick=parsed.quick, quiet=parsed.quiet, out=sys.stdout, err=sys.stderr)
