"""Describes splits: the examples that each takes, and the records of examples on their way into them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from maskmill.transforms.examples.spec import ExampleSpec


class Selection(NamedTuple):
    """Selects the examples that splits are cut from: those of one source that have a row of some classes.

    Attributes:
        source: index in `ReadAnnotations.sources`.
        class_ids: in ascending order.
        split: of the images, if a file gives each its split; "" for images of any.
    """

    source: int
    class_ids: tuple[int, ...]
    split: str = ""


class SplitRule(NamedTuple):
    """Says which examples of a selection a split takes.

    Attributes:
        name: of the split and of its folder.
        selection: the split is cut from it.
        start: share of the selection before the split, 0 to 1.
        stop: share of the selection up to the end of the split, 0 to 1.
    """

    name: str
    selection: Selection
    start: float
    stop: float


def selections_of(rules: Iterable[SplitRule]) -> list[Selection]:
    """Returns the distinct selections, sorted; other records refer to a selection by its index in this list."""
    return sorted({rule.selection for rule in rules})


def rules_by_selection(rules: Iterable[SplitRule]) -> list[list[SplitRule]]:
    """Groups rules by selection, in the order of `selections_of`."""
    rules = list(rules)
    return [[rule for rule in rules if rule.selection == selection] for selection in selections_of(rules)]


class SelectedExample(NamedTuple):
    """An example of a selection.

    Attributes:
        selection: index in `selections_of`.
        file_index: index, among the CSV files of the source, of the file with the example's first row; None if the
            image has no row.
        spec: the example.
    """

    selection: int
    file_index: int | None
    spec: ExampleSpec


class SplitExample(NamedTuple):
    """An example of a split.

    Attributes:
        split: name.
        position: index in the split, without gaps; or a hash below 2^64, see `AssignExamples.by_hash`.
        spec: the example.
    """

    split: str
    position: int
    spec: ExampleSpec


class SplitSize(NamedTuple):
    """Counts the examples of a split.

    Attributes:
        examples: in the split.
        candidates: in the selection that the split is cut from.
    """

    examples: int
    candidates: int
