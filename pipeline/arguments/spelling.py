"""Compares how options are spelt: with hyphens or underscores, with one dash or two, with a dash of a web page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

# Hyphen, non-breaking hyphen, figure dash, en dash, em dash, horizontal bar, minus sign.
_DASHES = "-‐‑‒–—―−"


def respell(arguments: Sequence[str], options: Iterable[str]) -> list[str]:
    """Spells options as they are defined: `--output-dir` as `--output_dir`, `--print_completion` with a hyphen.

    Values stay as they are, and so does everything after `--`.

    Args:
        arguments: a command line.
        options: option strings as they are defined.
    """
    defined = {_underscored(option): option for option in options if option.startswith("--")}
    end = arguments.index("--") if "--" in arguments else len(arguments)
    return [*(_respell(argument, defined) for argument in arguments[:end]), *arguments[end:]]


def _respell(argument: str, defined: dict[str, str]) -> str:
    name, equals, value = argument.partition("=")
    return defined.get(_underscored(name), name) + equals + value


def _underscored(option: str) -> str:
    return option[:2] + option[2:].replace("-", "_")


def begins_with_dash(argument: str) -> bool:
    """Whether an argument looks like an option, whatever dash it begins with."""
    return len(argument) > 1 and argument[0] in _DASHES


def plain(option: str) -> str:
    """Writes an option without what people get wrong: dashes, underscores and capitals."""
    return option.casefold().translate(dict.fromkeys(map(ord, _DASHES + "_")))
