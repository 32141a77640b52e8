"""`maskmill sample`: writes a synthetic dataset to try things with."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from maskmill.pipeline.arguments.argument_types import at_least
from maskmill.pipeline.arguments.parser import refuse_unknown

HELP = "write a synthetic dataset to try things with"
_DESCRIPTION = """Writes a synthetic dataset in the Kaggle form: train.csv and train_images/, always the same. Its
proportions are those of Severstal's training set."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Defines the command's arguments."""
    parser.description = _DESCRIPTION
    parser.add_argument("directory", metavar="DIR", help="where to write")
    images_help = "default: %(default)s; the real training set has 12568"
    parser.add_argument("--images", type=at_least(0), default=200, metavar="N", help=images_help)
    parser.add_argument("--seed", type=at_least(0), default=0, metavar="S", help="default: %(default)s")
    parser.add_argument(
        "--layout",
        choices=("present", "original"),
        default="present",
        help="columns ImageId,ClassId,EncodedPixels, or ImageId_ClassId,EncodedPixels (default: %(default)s)",
    )
    parser.add_argument("--quiet", action="store_true", help="no progress and no summary")
    parser.add_argument("--debug", action="store_true", help="tracebacks")


def run(parsed: argparse.Namespace, rest: Sequence[str]) -> None:
    """Runs the command."""
    from maskmill.pipeline.sample.write_sample import write_sample

    refuse_unknown(rest, parsed.known_options)
    summary = write_sample(
        parsed.directory, images=parsed.images, seed=parsed.seed, layout=parsed.layout, progress=not parsed.quiet
    )
    if not parsed.quiet:
        print(f"{summary.images} images, {summary.rows} rows with a mask, {summary.bytes / 1e6:.0f} MB")
        print(f"the dataset is in {parsed.directory}")
