"""Finds the command in a command line, or says which was meant."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence

from maskmill.pipeline.arguments.hints import begin_alike, nearest, spelt_alike
from maskmill.pipeline.arguments.spelling import begins_with_dash, respell
from maskmill.pipeline.errors import UsageError
from maskmill.pipeline.messages.this_program import this_program

_DEFAULT = "create"


def ask_for_help(arguments: Sequence[str]) -> list[str]:
    """Takes `help create` as `create --help`."""
    return [*arguments[1:2], "--help"] if arguments[:1] == ["help"] else list(arguments)


def check_command(arguments: Sequence[str], options: Iterable[str], commands: Mapping[str, Iterable[str]]) -> None:
    """Checks that a command line begins with a command, or with an option of the program itself.

    Args:
        arguments: the command line.
        options: options of the program itself, such as `--version`.
        commands: options of each command.

    Raises:
        UsageError: it begins with something else; the message says what was meant.
    """
    first = arguments[0] if arguments else ""
    if first not in commands and respell([first], options)[0].split("=")[0] not in options:
        raise UsageError(f"{_explain(arguments, options, commands)}\n({this_program()} --help explains)")


def _explain(arguments: Sequence[str], options: Iterable[str], commands: Mapping[str, Iterable[str]]) -> str:
    if not arguments:
        return f"give a COMMAND: {', '.join(commands)}"
    first = arguments[0]
    name = first.split("=", 1)[0]
    unknown = f"unknown argument {first}" if begins_with_dash(first) else f"{first} is no command"
    if meant := spelt_alike(name, commands):
        return f"{unknown}; did you mean {meant[0]}?"
    if meant := spelt_alike(name, options) or (begin_alike(name, options) if begins_with_dash(first) else []):
        return f"{unknown}; did you mean {_write([meant[0], *arguments[1:]])}?"
    if begins_with_dash(first):
        return f"{name} stands before the command{_hint_order(name, arguments, options, commands)}"
    if first.casefold().endswith((".yaml", ".yml")):
        return f"{unknown}; did you mean {_write([_DEFAULT, '--params', *arguments])}?"
    if meant := nearest(first, commands):
        return f"{unknown}; did you mean {meant[0]}?"
    return f"{unknown}; {_list(commands)}"


def _hint_order(
    name: str, arguments: Sequence[str], options: Iterable[str], commands: Mapping[str, Iterable[str]]
) -> str:
    """Writes the command line with the command in front: the one that it has, or the first with such an option."""
    place = next((place for place, argument in enumerate(arguments) if argument in commands), None)
    if place is not None:
        return f"; did you mean {_write([arguments[place], *arguments[:place], *arguments[place + 1 :]])}?"
    for command, theirs in commands.items():
        if meant := spelt_alike(name, theirs):
            return f"; did you mean {_write([command, arguments[0].replace(name, meant[0], 1), *arguments[1:]])}?"
    if meant := nearest(name, options):
        return f"; did you mean {_write(meant)}?"
    return f"; {_list(commands)}"


def _list(commands: Iterable[str]) -> str:
    return f"the commands are {', '.join(commands)}"


def _write(arguments: Iterable[str]) -> str:
    return f"{this_program()} {shlex.join(arguments)}"
