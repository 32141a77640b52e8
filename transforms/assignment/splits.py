"""What a split is: which examples it takes, and what it has taken."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import apache_beam as beam

from maskmill.transforms.examples.spec import ExampleSpec


class Selection(NamedTuple):
    """Examples of which splits are cut: those of some classes, in ascending order, of one source."""

    source: int
    class_ids: tuple[int, ...]


class SplitRule(NamedTuple):
    """Which examples a split takes.

    Attributes:
        name: of the split.
        selection: the examples that it is cut of.
        start: share of them, 0 to 1, that lies before those that the split takes.
        stop: share of them that lies before those that come after it.
    """

    name: str
    selection: Selection
    start: float
    stop: float


def selections_of(rules: Iterable[SplitRule]) -> list[Selection]:
    """What the splits are cut of; a selection is known by its index in this list."""
    return sorted({rule.selection for rule in rules})


def rules_by_selection(rules: Iterable[SplitRule]) -> list[list[SplitRule]]:
    """The rules of each selection."""
    rules = list(rules)
    return [[rule for rule in rules if rule.selection == selection] for selection in selections_of(rules)]


class SelectedExample(NamedTuple):
    """An example of a selection.

    Attributes:
        selection: index among the selections.
        rank: of the file of its first row among those of its source; None where the CSV does not have the image.
        spec: the example.
    """

    selection: int
    rank: int | None
    spec: ExampleSpec


class SplitExample(NamedTuple):
    """An example of a split.

    Attributes:
        split: name.
        position: from 0, without a gap; where a hash assigns the examples, a number below 2^64.
        spec: the example.
    """

    split: str
    position: int
    spec: ExampleSpec


class SplitSize(NamedTuple):
    """Number of examples that a split takes, and of its selection, from which it takes them."""

    examples: int
    candidates: int


class AssignedExamples(NamedTuple):
    """What assigning examples to splits gives.

    Attributes:
        examples: SplitExample.
        sizes: one element, {split: SplitSize}.
        tallies: (what, rows), to be summed.
    """

    examples: beam.PCollection[SplitExample]
    sizes: beam.PCollection[dict[str, SplitSize]]
    tallies: beam.PCollection[tuple[str, int]]
