"""The command line: subcommands and their arguments."""

from __future__ import annotations

import argparse

from maskmill.pipeline.arguments.argument_types import at_least, folder
from maskmill.pipeline.arguments.create_arguments import REPORT, add_create_arguments
from maskmill.pipeline.arguments.versions import describe_versions
from maskmill.pipeline.errors import UsageError

DESCRIPTION = "Steel-defect images and run-length encoded masks to sharded HDF5, on Apache Beam."
EXIT_STATUSES = """\
exit status:
  0  done, or nothing to do
  1  the run failed; nothing was published
  2  wrong usage, parameter file or input; nothing was done
  3  more rows or images are bad than --max_rejected allows; nothing was published
  4  verify: the dataset is damaged, or there is none
"""
CREATE_DESCRIPTION = """\
Makes the HDF5 dataset that a parameter file describes: reads the CSV of masks and the folder of images, and writes
train_input/ and eval_input/ with their metadata. The parameter file is that of the Model Zoo, as it is.
"""
CREATE_EPILOG = f"""\
Any other option goes to Apache Beam; those above are the few that matter.

{EXIT_STATUSES}
example:
  maskmill create --params configs/params_severstal_binary.yaml --output_dir severstal_hdf5
"""
PLAN_DESCRIPTION = """\
Says what `create` with the same arguments would do: rows, rejects, examples, shards, and which are there already.
It reads the CSV and lists the images, opens none, and changes nothing.
"""
VERIFY_DESCRIPTION = """\
Checks that a finished dataset is what was written: that every file is there and no other shard is, and that every byte
and every example is as it should be. Of a dataset of create_hdf5_files.py, which has no manifest.json, it checks
structure and counts.
"""
SHOW_DESCRIPTION = """\
Draws one example as a PNG: the image, and the same image with the label drawn over it, a colour for each class; side by
side, or one above the other where the image is more than twice as wide as high.
"""
REPORT_DESCRIPTION = """\
Writes one HTML page about a finished dataset, which needs no network: counts by split and class, what the examples
show, samples, what was rejected, how splits differ, and the runs that made it. It needs the extra `report`.
"""
PRUNE_DESCRIPTION = """\
Removes old datasets from a folder in which each lies in a folder of its own, named so that the newest is the last by
name, as dates are. The one that latest.json names always stays. Folders without a whole manifest.json are left alone.
"""


class _Parser(argparse.ArgumentParser):
    """Reports wrong usage in one line; no abbreviations, which would let a typo pass."""

    def __init__(self, **kwargs: object) -> None:
        super().__init__(allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter, **kwargs)  # type: ignore[arg-type]

    def error(self, message: str) -> None:  # type: ignore[override]
        raise UsageError(f"{message}\n({self.prog} --help explains)")


class _Version(argparse.Action):
    """Says what is installed, and ends."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object, **__: object) -> None:
        print(describe_versions())
        parser.exit()


class _PrintCompletion(argparse.Action):
    """Prints what a shell needs for completing commands, and ends."""

    def __call__(self, parser: argparse.ArgumentParser, _: object, shell: object, __: object = None) -> None:
        import shtab  # not needed by others, and slow

        print(shtab.complete(parser, str(shell)))
        parser.exit()


def make_parser() -> argparse.ArgumentParser:
    """The parser of the whole command line; what it gives has the subcommand's name as `command`."""
    parser = _Parser(prog="maskmill", description=DESCRIPTION, epilog=EXIT_STATUSES)
    parser.add_argument("--version", action=_Version, nargs=0, help="what is installed, for bug reports")
    parser.add_argument(
        "--print-completion",
        action=_PrintCompletion,
        choices=("bash", "zsh", "tcsh"),
        help="what a shell needs for completing commands",
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    create = commands.add_parser("create", help="make a dataset", description=CREATE_DESCRIPTION, epilog=CREATE_EPILOG)
    add_create_arguments(create)
    plan = commands.add_parser("plan", help="say what create would do", description=PLAN_DESCRIPTION)
    plan.add_argument("--json", action="store_true", help="for programs")
    add_create_arguments(plan)
    _add_sample(commands.add_parser("sample", help="write a synthetic dataset to try things with"))
    _add_verify(
        commands.add_parser("verify", help="check a dataset", description=VERIFY_DESCRIPTION, epilog=EXIT_STATUSES)
    )
    _add_show(commands.add_parser("show", help="draw an example", description=SHOW_DESCRIPTION))
    _add_report(commands.add_parser("report", help="write a page about a dataset", description=REPORT_DESCRIPTION))
    _add_prune(commands.add_parser("prune", help="remove old datasets", description=PRUNE_DESCRIPTION))
    for name, command in commands.choices.items():
        command.set_defaults(command=name, known_options=tuple(command._option_string_actions))
    return parser


def _add_sample(parser: argparse.ArgumentParser) -> None:
    parser.description = "Writes a synthetic dataset in the Kaggle form: train.csv and train_images/, always the same."
    parser.add_argument("directory", metavar="DIR", help="where to write")
    parser.add_argument("--images", type=at_least(0), default=200, metavar="N", help="default: %(default)s")
    parser.add_argument("--seed", type=at_least(0), default=0, metavar="S", help="default: %(default)s")
    parser.add_argument(
        "--layout",
        choices=("present", "original"),
        default="present",
        help="columns ImageId,ClassId,EncodedPixels, or ImageId_ClassId,EncodedPixels (default: %(default)s)",
    )
    parser.add_argument("--quiet", action="store_true", help="no progress and no summary")
    parser.add_argument("--debug", action="store_true", help="tracebacks")


def _add_verify(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("directory", type=folder, metavar="DIR", help="folder of the dataset")
    parser.add_argument("--quick", action="store_true", help="look at names and sizes only, and read no contents")
    parser.add_argument("--quiet", action="store_true", help="no progress, and nothing of a dataset that is whole")
    parser.add_argument("--debug", action="store_true", help="tracebacks")


def _add_show(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("directory", metavar="DIR", help="folder of the dataset")
    parser.add_argument("--split", default="train_input", metavar="NAME", help="default: %(default)s")
    parser.add_argument("--index", type=int, default=0, metavar="I", help="position; from the end with a minus")
    parser.add_argument("--output", metavar="FILE", help="where the PNG goes (default: <split>-<index>.png)")
    parser.add_argument("--debug", action="store_true", help="tracebacks")


def _add_report(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("directory", metavar="DIR", help="folder of the dataset")
    parser.add_argument("--output", default=REPORT, metavar="FILE", help="where the page goes (default: %(default)s)")
    parser.add_argument("--quiet", action="store_true", help="no progress, and nothing said")
    parser.add_argument("--debug", action="store_true", help="tracebacks")


def _add_prune(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("directory", type=folder, metavar="DIR", help="folder of the datasets")
    parser.add_argument("--keep", type=at_least(1), required=True, metavar="N", help="how many of the newest stay")
    parser.add_argument("--dry_run", action="store_true", help="only say what would be removed")
    parser.add_argument("--debug", action="store_true", help="tracebacks")
