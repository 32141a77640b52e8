"""Defines the arguments that `maskmill create` and `maskmill plan` share."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

from maskmill.names import REPORT
from maskmill.pipeline.arguments.argument_types import at_least, file_name, folder, percentage, rejected_limit
from maskmill.pipeline.job.rejected_limit import RejectedLimit
from maskmill.pipeline.messages.run_log import JSON, TEXT

# HDF5 files of each split, unless another number is asked for.
NUM_OUTPUT_FILES = 10


@dataclasses.dataclass(frozen=True, kw_only=True)
class CreateArguments:
    """The arguments of `maskmill create`; see its `--help`.

    A program gives two more than a command line: the content of a parameter file as `params`, and `transform`.
    """

    params: str | Mapping[str, Any]
    output_dir: str
    num_output_files: int
    num_processes: int
    name: str
    workers: int | None
    max_rejected: RejectedLimit
    min_examples: int
    max_change: float | None
    checksum: bool
    verify: bool
    overwrite: bool
    no_lock: bool
    reuse: str | None
    log_format: str
    metrics_file: str | None
    report: str | None
    quiet: bool
    beam_options: tuple[str, ...]
    transform: Any = None  # a PTransform, a class that only Beam has


def create_arguments(parsed: argparse.Namespace, beam_options: Iterable[str]) -> CreateArguments:
    """Takes the arguments from a parsed command line, which may have others, too."""
    others = ("beam_options", "transform")
    names = [field.name for field in dataclasses.fields(CreateArguments) if field.name not in others]
    return CreateArguments(**{name: getattr(parsed, name) for name in names}, beam_options=tuple(beam_options))


def add_no_lock(group: argparse._ActionsContainer) -> None:
    """Defines the flag for file systems without locks."""
    group.add_argument(
        "--no_lock",
        action="store_true",
        help="take no lock, for a file system that has none: two runs at a time would damage the dataset",
    )


def add_create_arguments(parser: argparse.ArgumentParser) -> None:
    """Defines the arguments, in the order of the help."""
    original = parser.add_argument_group("options of create_hdf5_files.py, with the same meaning")
    original.add_argument("--params", required=True, metavar="FILE", help="the parameter file (YAML)")
    original.add_argument(
        "--output_dir",
        type=folder,
        default="hdf5_dataset",
        metavar="DIR",
        help="folder of the dataset (default: %(default)s)",
    )
    original.add_argument(
        "--num_output_files",
        type=at_least(1),
        default=NUM_OUTPUT_FILES,
        metavar="N",
        help="number of HDF5 files of each split (default: %(default)s)",
    )
    original.add_argument(
        "--num_processes",
        type=at_least(0),
        default=1,
        metavar="P",
        help="affects only the layout: splits the examples into P consecutive ranges, each with N // P files, named "
        "_p<j> after the range; 0 is the number of CPUs (default: %(default)s)",
    )
    original.add_argument(
        "--name",
        type=file_name,
        default="preprocessed_data",
        metavar="NAME",
        help="first part of the file names (default: %(default)s)",
    )
    ours = parser.add_argument_group("further options")
    ours.add_argument("--workers", type=at_least(1), metavar="N", help="cores to use (default: all)")
    ours.add_argument(
        "--max_rejected",
        type=rejected_limit,
        default="0",
        metavar="N",
        help="rows and images that may be bad: a number, or a percentage of the rows such as 0.5%%; the dataset is "
        "made without them (default: %(default)s)",
    )
    ours.add_argument(
        "--min_examples",
        type=at_least(0),
        default=0,
        metavar="N",
        help="publish nothing if there are fewer examples, in all splits (default: %(default)s)",
    )
    ours.add_argument(
        "--max_change",
        type=percentage,
        metavar="P%",
        help="publish nothing if the number of examples differs by more than P percent from the previous dataset (the "
        "one in the output folder, or else that of --reuse), or the share of a class by more than P percentage points",
    )
    ours.add_argument(
        "--checksum",
        action="store_true",
        help="detect changed images by content (reads every image) instead of size and time",
    )
    ours.add_argument(
        "--verify",
        action="store_true",
        help="read every file that is kept, copied or resumed, and write damaged ones again; this is about files that "
        "maskmill wrote, and --checksum about the images that they are made of",
    )
    ours.add_argument(
        "--overwrite",
        action="store_true",
        help="replace HDF5 files in the output folder that maskmill did not write: those named <NAME>-<i>_p<j>.h5",
    )
    add_no_lock(ours)
    ours.add_argument(
        "--reuse",
        type=folder,
        metavar="DIR",
        help="copy unchanged shards from an earlier dataset, or from the one that latest.json in a folder of datasets "
        "names; a new dataset in that folder then becomes the latest",
    )
    ours.add_argument(
        "--log_format",
        choices=(TEXT, JSON),
        default=TEXT,
        help="json: each line on standard error is an object; the last one is the summary (default: %(default)s)",
    )
    ours.add_argument(
        "--metrics_file",
        metavar="FILE",
        help="write metrics of the run to FILE, in the text format of Prometheus, even if it fails",
    )
    ours.add_argument(
        "--report",
        nargs="?",
        const="",
        metavar="FILE",
        help=f"then write a page about the dataset, as `maskmill report` does (without FILE: {REPORT} in its folder)",
    )
    ours.add_argument("--quiet", action="store_true", help="no progress and no summary")
    ours.add_argument("--debug", action="store_true", help="tracebacks, and the messages of Beam")
    parser.set_defaults(takes_beam_options=True)
