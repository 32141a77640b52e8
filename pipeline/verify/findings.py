"""Defines the findings of `verify`, and writes the messages about them."""

from __future__ import annotations

from typing import NamedTuple

from maskmill.completeness import STRAY
from maskmill.pipeline.messages.quantities import format_bytes
from maskmill.transforms.text import printable

SHOWN_PROBLEMS = 20


class Findings(NamedTuple):
    """What is known of a dataset after it was checked.

    Attributes:
        problems: "<file>: what is wrong with it"; none if the dataset is whole.
        examples: number of listed examples.
        shards: number of listed shards.
        bytes: size of all listed files.
        has_manifest: whether there is a manifest; a dataset of create_hdf5_files.py has none.
        quick: whether only names and sizes were checked.
    """

    problems: tuple[str, ...]
    examples: int
    shards: int
    bytes: int
    has_manifest: bool
    quick: bool

    def success(self, directory: str) -> str:
        """Writes the line about a whole dataset.

        Args:
            directory: folder of the dataset, as given.
        """
        size = f"{self.examples:,} examples in {self.shards:,} shards, {format_bytes(self.bytes)}"
        if self.has_manifest:
            return f"{directory} is whole: {size}; {'sizes only' if self.quick else 'every byte was read'}"
        checked = "only names were" if self.quick else "structure and counts were"
        return (
            f"{directory} has no manifest.json, so it is a dataset of create_hdf5_files.py: {size}; "
            f"{checked} checked and are right, contents cannot be"
        )

    def shown_problems(self) -> list[str]:
        """Returns the first problems, one a line, and how many more there are."""
        lines = [printable(problem) for problem in self.problems[:SHOWN_PROBLEMS]]
        more = len(self.problems) - len(lines)
        return [*lines, f"… and {more:,} more"] if more else lines

    def failure(self, directory: str, command: str | None = None) -> str:
        """Writes the last lines about a damaged dataset: how many problems, and what to do.

        Args:
            directory: folder of the dataset, as given.
            command: shell command that writes damaged files again; None if it is not known.
        """
        count = "1 problem" if len(self.problems) == 1 else f"{len(self.problems):,} problems"
        return f"{directory} is damaged: {count}; {self._cure(command)}"

    def _cure(self, command: str | None) -> str:
        if not self.has_manifest:
            return "make the dataset again, or copy it again from where it is whole"
        strays = sum(STRAY in problem for problem in self.problems)
        first = "remove the files that are not of this dataset" if strays else ""
        if strays == len(self.problems):
            return first
        mend = (
            f"to write again what is damaged, run\n{command}"
            if command
            else "to write again what is damaged, run the maskmill create that made it, with --verify, or copy it again"
        )
        return f"{first}; {mend}" if first else mend
