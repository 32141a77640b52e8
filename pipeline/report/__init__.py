"""`maskmill report`: writes one HTML page about a dataset."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from maskmill.names import REPORT
from maskmill.pipeline.arguments.parser import refuse_unknown

HELP = "write a page about a dataset"
_DESCRIPTION = """\
Writes one HTML page about a finished dataset, which needs no network: counts by split and class, what the examples
show, samples, what was rejected, how splits differ, and the runs that made it. It needs matplotlib and Jinja2.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Defines the command's arguments."""
    parser.description = _DESCRIPTION
    parser.add_argument("directory", metavar="DIR", help="folder of the dataset")
    parser.add_argument(
        "--output",
        default="",
        metavar="FILE",
        help=f"where the page goes; its folder is made if it is missing (default: {REPORT} in the dataset's folder)",
    )
    parser.add_argument("--quiet", action="store_true", help="no progress and no message")
    parser.add_argument("--debug", action="store_true", help="tracebacks")


def run(parsed: argparse.Namespace, rest: Sequence[str]) -> None:
    """Runs the command."""
    from maskmill.pipeline.report.write_report import write_report

    refuse_unknown(rest, parsed.known_options)
    written = write_report(parsed.directory, parsed.output, quiet=parsed.quiet, err=sys.stderr)
    if not parsed.quiet:
        print(written)
