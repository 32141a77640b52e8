"""Finds what was meant by an argument that no option takes."""

from __future__ import annotations

import difflib
import re
import shlex
from collections.abc import Iterable, Sequence

from maskmill.pipeline.arguments.known_options import KnownOptions
from maskmill.pipeline.arguments.spelling import begins_with_dash, plain
from maskmill.pipeline.messages.this_program import this_program

# What other programs call an option of this one.
_OTHER_NAMES = {
    "cfg": "--params",
    "config": "--params",
    "force": "--overwrite",
    "jobs": "--workers",
    "silent": "--quiet",
    "verbose": "--debug",
}
# Options for which people look where a folder stands without one.
_FOLDER_OPTIONS = ("dataset", "dir", "directory", "folder", "input", "outputdir")
_OPTIONS_OF_FILES = {
    "--params": (".yaml", ".yml"),
    "--image": (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"),
}
_PERCENT = ("%", "per", "percent", "percentage", "pct")
_MOST_NAMED = 3


def find_wrong_dashes(known: KnownOptions) -> str | None:
    """Finds an option that is right but for its dashes, which might else be taken for something else."""
    for before, argument in zip(("", *known.given), known.given, strict=False):
        if argument == "--":
            return None
        name = _name(argument)
        wrong = begins_with_dash(argument) and not name.startswith("--") and len(plain(name)) > 1
        if wrong and not known.takes_value(before) and spelt_alike(name, known.options):
            return argument
    return None


def find_hint(argument: str, known: KnownOptions, beam_options: Iterable[str] = ()) -> str:
    """Returns what was meant, or that there is no such thing.

    Args:
        argument: the first that no option takes.
        known: the command.
        beam_options: all options of Beam, if it reads those of the command.
    """
    if begins_with_dash(argument):
        return _hint_option(argument, known, list(beam_options))
    return _hint_stray(argument, known)


def nearest(name: str, known: Iterable[str]) -> list[str]:
    """Finds the name that is spelt most like another, whatever its dashes and capitals."""
    names = {plain(one): one for one in known}
    return [names[one] for one in difflib.get_close_matches(plain(name), names, n=1)]


def spelt_alike(name: str, options: Iterable[str]) -> list[str]:
    """Finds the option that differs in dashes and capitals only."""
    return [option for option in options if len(option) > 2 and plain(option) == plain(name)]


def begin_alike(name: str, options: Iterable[str]) -> list[str]:
    """Finds the options of which a name is the beginning, if they are few."""
    found = [option for option in options if option.startswith("--") and plain(option).startswith(plain(name))]
    return found if len(found) <= _MOST_NAMED else []


def _hint_option(argument: str, known: KnownOptions, beam_options: list[str]) -> str:
    name = _name(argument)
    near = spelt_alike(name, known.options) or begin_alike(name, known.options)
    if near:
        return _did_you_mean(near, argument)
    if plain(name) == "version":
        return f"did you mean {this_program()} --version?"
    if known.positionals and plain(name) in _FOLDER_OPTIONS:
        return f"write {known.positionals[0]} without an option"
    if takers := [command for command, options in known.others.items() if spelt_alike(name, options)]:
        return f"it is an option of {_join(takers, 'and')}, not of {known.command}"
    if (meant := _OTHER_NAMES.get(plain(name))) in known.options:
        return f"did you mean {meant}?"
    if near := nearest(name, [*known.options, *beam_options]):
        return _did_you_mean(near, argument)
    if known.takes_beam_options:
        return "neither maskmill nor Apache Beam has such an option"
    return f"{known.command or 'maskmill'} has no such option"


def _did_you_mean(options: Sequence[str], argument: str) -> str:
    if len(argument.split()) > 1:
        return f"did you mean {options[0]} {shlex.quote(argument.split(None, 1)[1])}, as two arguments?"
    dashes = "" if argument.startswith("--") else ", with two hyphens"
    return f"did you mean {_join(options, 'or')}{dashes}?"


def _hint_stray(argument: str, known: KnownOptions) -> str:
    """Explains an argument that neither is an option nor the value of one."""
    place = len(known.given) - 1 - known.given[::-1].index(argument) if argument in known.given else 0
    before = known.given[:place]
    option, value = _last_value(before, known)
    name, equals, rest = argument.partition("=")
    if argument.casefold() in _PERCENT and re.fullmatch(r"[0-9]+(\.[0-9]+)?", value):
        return f"a percentage is written {value}%: {option}{value}%"
    if value == "=" or (before and before[-1].endswith("=")):
        return f"write {option.rstrip('= ')} {shlex.quote(argument)}, without spaces around ="
    if argument == "help":
        return f"did you mean {this_program()} {known.command} --help?"
    if before and before[-1] in known.switches:
        return f"{before[-1]} takes no value"
    if own := spelt_alike(name, known.options):
        return f"did you mean {own[0]}{equals}{rest and shlex.quote(rest)}?"
    if meant := _option_of_file(argument, known):
        return f"did you mean {meant} {shlex.quote(argument)}?"
    if _wants("--output_dir", known) and not (value and _option_of_file(value, known, given=True) is None):
        return f"did you mean --output_dir {shlex.quote(argument)}?"
    if value and (option or known.positionals):
        what = option.rstrip("= ") or known.command
        quoted = shlex.quote(f"{value} {argument}")
        return f"{what} takes one value; with a space in it, it needs quotes: {option}{quoted}"
    return f"{known.command} takes only options"


def _last_value(before: Sequence[str], known: KnownOptions) -> tuple[str, str]:
    """Returns the value that ends a command line, after its option as it is written: `--params ` or `--params=`."""
    if not before:
        return "", ""
    last, option = before[-1], before[-2] if len(before) > 1 else ""
    if begins_with_dash(last):
        name, equals, value = last.partition("=")
        return name + equals, value
    return (f"{option} " if begins_with_dash(option) and option not in known.switches else ""), last


def _option_of_file(path: str, known: KnownOptions, *, given: bool = False) -> str | None:
    """Returns the option that takes such a file, if it was not given yet, or whether it was or not."""
    for option, endings in _OPTIONS_OF_FILES.items():
        if path.casefold().endswith(endings) and (given or _wants(option, known)):
            return option
    return None


def _wants(option: str, known: KnownOptions) -> bool:
    return option in known.options and option not in map(_name, known.given)


def _name(argument: str) -> str:
    """Returns an option without the value that stands in the same argument, after `=` or a space."""
    return re.split(r"[=\s]", argument, maxsplit=1)[0]


def _join(names: Sequence[str], word: str) -> str:
    """Writes names as a choice or a list: `a, b or c`."""
    return f" {word} ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
