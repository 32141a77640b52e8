"""Writes what a shell needs for completing commands, options and the names of files."""

from __future__ import annotations

import argparse


def write_completion(parser: argparse.ArgumentParser, shell: str) -> str:
    """Writes a script for a shell.

    A value that the help calls FILE is completed as a file, and DIR as a folder; so are A and B of `maskmill diff`.

    Args:
        parser: of the whole command line.
        shell: bash, zsh or tcsh.
    """
    import shtab  # slow, and needed only here

    kinds = {"FILE": shtab.FILE, **dict.fromkeys(("DIR", "A", "B"), shtab.DIRECTORY)}
    for one in [parser, *_subparsers(parser)]:
        for action in one._actions:
            if action.metavar in kinds:
                action.complete = kinds[action.metavar]  # type: ignore[attr-defined]
    return str(shtab.complete(parser, shell))


def _subparsers(parser: argparse.ArgumentParser) -> list[argparse.ArgumentParser]:
    actions = (action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    return [one for action in actions for one in action.choices.values()]
