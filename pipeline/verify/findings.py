"""Defines the findings of `verify`, and writes the messages about them."""

from __future__ import annotations

from typing import NamedTuple

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

    def failure(self, directory: str) -> str:
        """Writes the last line about a damaged dataset: how many problems, and what to do.

        Args:
            directory: folder of the dataset, as given.
        """
        count = "1 problem" if len(self.problems) == 1 else f"{len(self.problems):,} problems"
        cure = (
            "remove the files that are named, and run the same maskmill create again"
            if self.has_manifest
            else "make the dataset again, or copy it again from where it is whole"
        )
        return f"{directory} is damaged: {count}; {cure}"
