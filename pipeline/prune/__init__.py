"""`maskmill prune`: removes old datasets from a folder of datasets."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from maskmill.pipeline.arguments.argument_types import at_least, folder
from maskmill.pipeline.arguments.create_arguments import add_no_lock
from maskmill.pipeline.arguments.parser import refuse_unknown

HELP = "remove old datasets, and what unfinished runs have left"
_DESCRIPTION = """\
Removes old datasets from a folder in which each has a folder of its own, named so that the newest is the last by name,
as dates are. The one that latest.json names always stays. Folders without a whole manifest.json are left alone, except
for what unfinished runs have left: it goes when nothing was written there for a day and no run is at work.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Defines the command's arguments."""
    parser.description = _DESCRIPTION
    parser.add_argument("directory", type=folder, metavar="DIR", help="folder of the datasets")
    parser.add_argument("--keep", type=at_least(1), required=True, metavar="N", help="how many of the newest stay")
    parser.add_argument("--dry_run", action="store_true", help="only say what would be removed")
    add_no_lock(parser)
    parser.add_argument("--debug", action="store_true", help="tracebacks")


def run(parsed: argparse.Namespace, rest: Sequence[str]) -> None:
    """Runs the command."""
    from maskmill.pipeline.prune.old_datasets import run_prune

    refuse_unknown(rest, parsed.known_options)
    flags = {"keep": parsed.keep, "dry_run": parsed.dry_run, "no_lock": parsed.no_lock}
    run_prune(parsed.directory, **flags, out=sys.stdout, err=sys.stderr)
