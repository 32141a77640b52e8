"""The command line: subcommands, their arguments, exit statuses."""

from __future__ import annotations

import argparse
import difflib
import itertools
import logging
import os
import sys
import traceback
from collections.abc import Callable, Iterable, Sequence

from pipeline.argument_types import at_least, folder
from pipeline.create_arguments import add_create_arguments, create_arguments
from pipeline.errors import SteelbeamError, TooManyRejectedError, UsageError
from pipeline.import_beam import import_beam
from pipeline.run_log import JSON, JsonFormatter, RunLog, is_json
from transforms.os_errors import NoFileSystemError

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
  steelbeam create --params configs/params_severstal_binary.yaml --output_dir severstal_hdf5
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


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the program.

    Args:
        argv: the arguments; None takes those of the process.

    Returns:
        the exit status.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    debug = "--debug" in arguments
    as_json = is_json(arguments)
    _configure_logging(debug, as_json)
    try:
        return _run_command(arguments)
    except SteelbeamError as error:
        codes = {"rejected": error.codes} if isinstance(error, TooManyRejectedError) else {}
        return _fail(error, error.exit_status, debug, as_json, **codes)
    except KeyboardInterrupt:
        RunLog(sys.stderr, as_json).tell("stopped", "by Ctrl-C", exit_status=130)
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        return _fail(error, UsageError.exit_status if isinstance(error, NoFileSystemError) else 1, debug, as_json)


def _fail(error: Exception, status: int, debug: bool, as_json: bool, **values: object) -> int:
    if debug and as_json:
        values["traceback"] = traceback.format_exc()
    elif debug:
        traceback.print_exc()
    RunLog(sys.stderr, as_json).tell("failed", str(error), exit_status=status, **values)
    return status


def _run_command(arguments: list[str]) -> int:
    parsed, rest = _make_parser().parse_known_args(arguments)
    run: Callable[[argparse.Namespace, list[str]], None] = parsed.run
    run(parsed, rest)
    return 0


def _configure_logging(debug: bool, as_json: bool) -> None:
    # Beam tells of a failing step at length; the command says it in a line, unless asked for more.
    logging.basicConfig(level=logging.INFO if debug else logging.CRITICAL)
    if as_json:
        logging.captureWarnings(True)
        for handler in logging.getLogger().handlers:
            handler.setFormatter(JsonFormatter())


def _make_parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="steelbeam", description=DESCRIPTION, epilog=EXIT_STATUSES)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    create = commands.add_parser("create", help="make a dataset", description=CREATE_DESCRIPTION, epilog=CREATE_EPILOG)
    create.set_defaults(run=_create)
    add_create_arguments(create)
    plan = commands.add_parser("plan", help="say what create would do", description=PLAN_DESCRIPTION)
    plan.set_defaults(run=_plan)
    plan.add_argument("--json", action="store_true", help="for programs")
    add_create_arguments(plan)
    _add_sample(commands.add_parser("sample", help="write a synthetic dataset to try things with"))
    _add_verify(
        commands.add_parser("verify", help="check a dataset", description=VERIFY_DESCRIPTION, epilog=EXIT_STATUSES)
    )
    _add_prune(commands.add_parser("prune", help="remove old datasets", description=PRUNE_DESCRIPTION))
    for command in commands.choices.values():
        command.set_defaults(known_options=tuple(command._option_string_actions))
    return parser


def _add_sample(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(run=_sample)
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
    parser.set_defaults(run=_verify)
    parser.add_argument("directory", type=folder, metavar="DIR", help="folder of the dataset")
    parser.add_argument("--quick", action="store_true", help="look at names and sizes only, and read no contents")
    parser.add_argument("--quiet", action="store_true", help="no progress, and nothing of a dataset that is whole")
    parser.add_argument("--debug", action="store_true", help="tracebacks")


def _add_prune(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(run=_prune)
    parser.add_argument("directory", type=folder, metavar="DIR", help="folder of the datasets")
    parser.add_argument("--keep", type=at_least(1), required=True, metavar="N", help="how many of the newest stay")
    parser.add_argument("--dry_run", action="store_true", help="only say what would be removed")
    parser.add_argument("--debug", action="store_true", help="tracebacks")


def _refuse_unknown(unknown: Sequence[str], *known: Iterable[str]) -> None:
    if unknown:
        argument = unknown[0].split("=", 1)[0]
        near = difflib.get_close_matches(argument, itertools.chain(*known), n=1)
        hint = f"did you mean {near[0]}?" if near else "neither steelbeam nor Apache Beam has such an option"
        raise UsageError(f"unknown argument {argument}; {hint}")


def _create(parsed: argparse.Namespace, rest: list[str]) -> None:
    # Imported here: Beam takes a second, which --help and wrong usage need not.
    import_beam()
    from pipeline.beam_options import find_unknown
    from pipeline.create import create

    _refuse_unknown(*find_unknown(rest), parsed.known_options)
    create(create_arguments(parsed, rest), sys.stdout, RunLog(sys.stderr, parsed.log_format == JSON))


def _plan(parsed: argparse.Namespace, rest: list[str]) -> None:
    import_beam()
    from pipeline.beam_options import find_unknown
    from pipeline.plan import run_plan

    _refuse_unknown(*find_unknown(rest), parsed.known_options)
    run_plan(create_arguments(parsed, rest), sys.stdout, as_json=parsed.json)


def _sample(parsed: argparse.Namespace, rest: list[str]) -> None:
    from pipeline.sample import write_sample

    _refuse_unknown(rest, parsed.known_options)
    progress = not parsed.quiet
    summary = write_sample(
        parsed.directory, images=parsed.images, seed=parsed.seed, layout=parsed.layout, progress=progress
    )
    if not parsed.quiet:
        print(f"{summary.images} images, {summary.rows} rows with a mask, {summary.bytes / 1e6:.0f} MB")
        print(f"the dataset is in {parsed.directory}")


def _verify(parsed: argparse.Namespace, rest: list[str]) -> None:
    from pipeline.verify import run_verify

    _refuse_unknown(rest, parsed.known_options)
    run_verify(parsed.directory, quick=parsed.quick, quiet=parsed.quiet, out=sys.stdout, err=sys.stderr)


def _prune(parsed: argparse.Namespace, rest: list[str]) -> None:
    from pipeline.prune import run_prune

    _refuse_unknown(rest, parsed.known_options)
    run_prune(parsed.directory, keep=parsed.keep, dry_run=parsed.dry_run, out=sys.stdout, err=sys.stderr)
