"""What a split is: which examples it takes, and what it has taken."""

from __future__ import annotations

from typing import NamedTuple

import apache_beam as beam

from transforms.example import ExampleSpec


class Selection(NamedTuple):
    """Examples of which a split is cut: those of one class of one source."""

    source: int
    class_id: int


class SplitRule(NamedTuple):
    """Which examples a split takes.

    Attributes:
        name: of the split.
        source: index of its annotations.
        class_id: class of its rows.
        share: of the class's examples, 0 to 1, that lies before the cut.
        before_cut: whether the split takes the examples before the cut, or those after it.
    """

    name: str
    source: int
    class_id: int
    share: float
    before_cut: bool

    @property
    def selection(self) -> Selection:
        """The examples that the split is cut of."""
        return Selection(self.source, self.class_id)


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
