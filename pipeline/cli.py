"""Runs the program: finds the command, runs it, and returns the exit status."""

from __future__ import annotations

import argparse
import contextlib
import io
import logging
import os
import platform
import sys
import traceback
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version

from maskmill.install_hint import missing_requirements, pip_install
from maskmill.names import is_utf8
from maskmill.pipeline import create, diff, plan, preview, prune, report, sample, show, verify
from maskmill.pipeline.arguments.commands import ask_for_help, check_command
from maskmill.pipeline.arguments.completion import write_completion
from maskmill.pipeline.arguments.parser import EXIT_STATUSES, Parser
from maskmill.pipeline.errors import MaskmillError, TooManyRejectedError, UsageError, error_of
from maskmill.pipeline.messages.run_log import JsonFormatter, RunLog, is_json
from maskmill.transforms.files.errors import NameNotUtf8Error

# Each module has a line of HELP, `add_arguments(parser)` and `run(parsed, rest)`, which may return an exit status. None
# imports Beam before it runs.
COMMANDS = {
    "create": create,
    "plan": plan,
    "preview": preview,
    "sample": sample,
    "verify": verify,
    "show": show,
    "diff": diff,
    "report": report,
    "prune": prune,
}

# Name in a bug report, and distribution, of the libraries that matter.
_LIBRARIES = {"Beam": "apache-beam", "NumPy": "numpy", "Pillow": "Pillow", "simplejpeg": "simplejpeg"}
DESCRIPTION = "Turns images and run-length encoded masks into sharded HDF5, on Apache Beam."


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the program.

    Args:
        argv: the arguments; None takes those of the process.

    Returns:
        the exit status.
    """
    arguments = ask_for_help(sys.argv[1:] if argv is None else argv)
    debug = "--debug" in arguments
    as_json = is_json(arguments)
    _configure_logging(debug, as_json)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # as standard error; any name can be shown
    try:
        parser = make_parser()
        check_command(arguments, parser.known_options.options, parser.others)
        parsed, rest = parser.parse_known_args(arguments)
        _check_names(arguments)
        return COMMANDS[parsed.command].run(parsed, rest) or 0
    except MaskmillError as error:
        codes = {"rejected": error.codes} if isinstance(error, TooManyRejectedError) else {}
        return _fail(error, error.exit_status, debug, as_json, **codes)
    except ModuleNotFoundError as error:
        if not (missing := missing_requirements()):
            raise
        return _fail(_not_installed(missing, error), UsageError.exit_status, debug, as_json)
    except KeyboardInterrupt:
        RunLog(sys.stderr, as_json).tell("stopped", "by Ctrl-C", exit_status=130)
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        return _fail(error, error_of(error).exit_status, debug, as_json)


def _not_installed(missing: Sequence[str], error: ModuleNotFoundError) -> UsageError:
    """Makes the error of a command that needs more than reading a dataset does."""
    problem = f"this needs {error.name}, which is not installed: only reading a dataset does without"
    return UsageError(f"{problem}; to install all that is missing: {pip_install(*missing)}")


def _check_names(arguments: Sequence[str]) -> None:
    """Refuses paths that neither JSON nor HDF5 can hold, before any work.

    Raises:
        NameNotUtf8Error: an argument, or the path of the working folder, is not UTF-8.
    """
    with contextlib.suppress(FileNotFoundError):  # it may be gone, and no path need be relative to it
        arguments = [*arguments, os.getcwd()]
    for argument in arguments:
        if not is_utf8(argument):
            raise NameNotUtf8Error(argument)


def make_parser() -> Parser:
    """Makes the parser of the whole command line; the result of parsing has the command's name as `command`."""
    parser = Parser(prog="maskmill", description=DESCRIPTION, epilog=EXIT_STATUSES)
    parser.add_argument("--version", action=_Version, nargs=0, help="what is installed, for bug reports")
    parser.add_argument(
        "--print-completion",
        action=_PrintCompletion,
        choices=("bash", "zsh", "tcsh"),
        help="what a shell needs for completing commands",
    )
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name, module in COMMANDS.items():
        command = subparsers.add_parser(name, help=module.HELP)
        module.add_arguments(command)
        command.set_defaults(command=name)
    options = {name: list(command._option_string_actions) for name, command in subparsers.choices.items()}
    parser.others = options
    for name, command in subparsers.choices.items():
        command.others = {other: theirs for other, theirs in options.items() if other != name}
    return parser


class _Version(argparse.Action):
    """Prints what is installed, and exits."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object, **__: object) -> None:
        print(describe_versions())
        parser.exit()


def describe_versions() -> str:
    """Returns a line with the versions of maskmill and of the libraries that matter to it."""
    import h5py

    from maskmill.transforms.kernel import KERNEL

    others = ", ".join(f"{name} {_version(distribution)}" for name, distribution in _LIBRARIES.items())
    hdf5 = f"h5py {h5py.version.version} with HDF5 {h5py.version.hdf5_version}"
    kernel = "kernel compiled" if KERNEL is not None else "kernel not compiled"
    return f"maskmill {_version('maskmill')} (Python {platform.python_version()}, {others}, {hdf5}; {kernel})"


def _version(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return "not installed"


class _PrintCompletion(argparse.Action):
    """Prints what a shell needs for completing commands, and exits."""

    def __call__(self, parser: argparse.ArgumentParser, _: object, shell: object, __: object = None) -> None:
        print(write_completion(parser, str(shell)))
        parser.exit()


def _fail(error: Exception, status: int, debug: bool, as_json: bool, **values: object) -> int:
    if debug and as_json:
        values["traceback"] = traceback.format_exc()
    elif debug:
        traceback.print_exc()
    RunLog(sys.stderr, as_json).tell("failed", str(error), exit_status=status, **values)
    return status


def _configure_logging(debug: bool, as_json: bool) -> None:
    # Beam logs a failing step at length; the command says it in one line, unless asked for more. The handler has the
    # level, too: some runners give their loggers one of their own.
    level = logging.INFO if debug else logging.CRITICAL + 1
    handler = logging.StreamHandler()
    handler.setLevel(level)
    logging.basicConfig(level=level, handlers=[handler], format=logging.BASIC_FORMAT)
    if as_json:
        logging.captureWarnings(True)
        for one in logging.getLogger().handlers:
            one.setFormatter(JsonFormatter())
