"""`maskmill preview`: draws an image with the masks of its rows, before any dataset is made."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from maskmill.pipeline.arguments.parser import refuse_unknown
from maskmill.pipeline.runners.import_beam import import_beam

HELP = "draw an image with its masks, before any dataset is made"
_DESCRIPTION = """\
Draws an image with the masks of its rows, straight from the CSV and the image folder that a parameter file names: the
image, and the same image with a colour for each class, and a legend below. It shows whether the masks are read as they
were written.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Defines the command's arguments."""
    parser.description = _DESCRIPTION
    parser.add_argument("--params", required=True, metavar="FILE", help="parameter file")
    parser.add_argument("--image", metavar="NAME", help="image to draw (default: the first in the CSV with a mask)")
    parser.add_argument(
        "--output",
        default="preview.png",
        metavar="FILE",
        help="where the PNG goes; its folder is made if it is missing (default: %(default)s)",
    )
    parser.add_argument("--debug", action="store_true", help="tracebacks")


def run(parsed: argparse.Namespace, rest: Sequence[str]) -> None:
    """Runs the command."""
    refuse_unknown(rest, parsed.known_options)
    import_beam()
    from maskmill.pipeline.preview.draw_rows import draw_rows

    sys.stdout.write(draw_rows(parsed.params, parsed.image, parsed.output))
