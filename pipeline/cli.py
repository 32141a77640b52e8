"""The program: runs a subcommand, and gives the exit status."""

from __future__ import annotations

import argparse
import difflib
import itertools
import logging
import os
import sys
import traceback
from collections.abc import Callable, Iterable, Sequence

from maskmill.pipeline.arguments.create_arguments import create_arguments
from maskmill.pipeline.arguments.parser import make_parser
from maskmill.pipeline.errors import MaskmillError, TooManyRejectedError, UsageError
from maskmill.pipeline.messages.run_log import JSON, JsonFormatter, RunLog, is_json
from maskmill.pipeline.runners.import_beam import import_beam
from maskmill.transforms.files.errors import NoFileSystemError


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
    except MaskmillError as error:
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
    parsed, rest = make_parser().parse_known_args(arguments)
    _COMMANDS[parsed.command](parsed, rest)
    return 0


def _configure_logging(debug: bool, as_json: bool) -> None:
    # Beam tells of a failing step at length; the command says it in a line, unless asked for more.
    logging.basicConfig(level=logging.INFO if debug else logging.CRITICAL)
    if as_json:
        logging.captureWarnings(True)
        for handler in logging.getLogger().handlers:
            handler.setFormatter(JsonFormatter())


def _refuse_unknown(unknown: Sequence[str], *known: Iterable[str]) -> None:
    if unknown:
        argument = unknown[0].split("=", 1)[0]
        near = difflib.get_close_matches(argument, itertools.chain(*known), n=1)
        hint = f"did you mean {near[0]}?" if near else "neither maskmill nor Apache Beam has such an option"
        raise UsageError(f"unknown argument {argument}; {hint}")


def _create(parsed: argparse.Namespace, rest: list[str]) -> None:
    # Imported here: Beam takes a second, which --help and wrong usage need not.
    import_beam()
    from maskmill.pipeline.create.make_dataset import create
    from maskmill.pipeline.runners.beam_options import find_unknown

    _refuse_unknown(*find_unknown(rest), parsed.known_options)
    create(create_arguments(parsed, rest), sys.stdout, RunLog(sys.stderr, parsed.log_format == JSON, parsed.quiet))


def _plan(parsed: argparse.Namespace, rest: list[str]) -> None:
    import_beam()
    from maskmill.pipeline.plan.plan_dataset import run_plan
    from maskmill.pipeline.runners.beam_options import find_unknown

    _refuse_unknown(*find_unknown(rest), parsed.known_options)
    run_plan(create_arguments(parsed, rest), sys.stdout, as_json=parsed.json)


def _sample(parsed: argparse.Namespace, rest: list[str]) -> None:
    from maskmill.pipeline.sample.write_sample import write_sample

    _refuse_unknown(rest, parsed.known_options)
    progress = not parsed.quiet
    summary = write_sample(
        parsed.directory, images=parsed.images, seed=parsed.seed, layout=parsed.layout, progress=progress
    )
    if not parsed.quiet:
        print(f"{summary.images} images, {summary.rows} rows with a mask, {summary.bytes / 1e6:.0f} MB")
        print(f"the dataset is in {parsed.directory}")


def _verify(parsed: argparse.Namespace, rest: list[str]) -> None:
    from maskmill.pipeline.verify.verify_dataset import run_verify

    _refuse_unknown(rest, parsed.known_options)
    run_verify(parsed.directory, quick=parsed.quick, quiet=parsed.quiet, out=sys.stdout, err=sys.stderr)


def _prune(parsed: argparse.Namespace, rest: list[str]) -> None:
    from maskmill.pipeline.prune.old_datasets import run_prune

    _refuse_unknown(rest, parsed.known_options)
    run_prune(parsed.directory, keep=parsed.keep, dry_run=parsed.dry_run, out=sys.stdout, err=sys.stderr)


def _report(parsed: argparse.Namespace, rest: list[str]) -> None:
    from maskmill.pipeline.report.write_report import run_report

    _refuse_unknown(rest, parsed.known_options)
    run_report(parsed.directory, parsed.output, quiet=parsed.quiet, out=sys.stdout, err=sys.stderr)


def _show(parsed: argparse.Namespace, rest: list[str]) -> None:
    from maskmill.pipeline.show import show

    _refuse_unknown(rest, parsed.known_options)
    print(show(parsed.directory, parsed.split, parsed.index, parsed.output))


_COMMANDS: dict[str, Callable[[argparse.Namespace, list[str]], None]] = {
    "create": _create,
    "plan": _plan,
    "sample": _sample,
    "verify": _verify,
    "show": _show,
    "report": _report,
    "prune": _prune,
}
