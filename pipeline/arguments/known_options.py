"""Describes a command for hints: what it takes, what other commands take, and what was given."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class KnownOptions:
    """What a command takes, beside what was given.

    Attributes:
        command: name of the command; empty for the program itself.
        options: its options, such as `--params`.
        switches: those of them that take no value.
        positionals: what stands without an option, such as `DIR`.
        takes_beam_options: whether Beam reads every other option.
        others: options of each other command.
        given: the arguments after the name of the command.
    """

    command: str
    options: tuple[str, ...]
    switches: tuple[str, ...] = ()
    positionals: tuple[str, ...] = ()
    takes_beam_options: bool = False
    others: Mapping[str, Iterable[str]] = field(default_factory=dict)
    given: tuple[str, ...] = ()

    def takes_value(self, option: str) -> bool:
        """Whether the argument after an argument is its value."""
        return option in self.options and option not in self.switches
