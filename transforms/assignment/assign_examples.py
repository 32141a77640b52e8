"""Defines what all assignment strategies share: their interface and their outputs."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable, Iterator
from typing import Any, ClassVar, NamedTuple

import apache_beam as beam

from maskmill.transforms.assignment.splits import SplitExample, SplitRule, SplitSize
from maskmill.transforms.examples.spec import ExampleSpec
from maskmill.transforms.tallies import IN_NO_SPLIT

# An example, once for each split that takes it.
Assigned = tuple[ExampleSpec, list[SplitExample]]


class AssignedExamples(NamedTuple):
    """The outputs of `AssignExamples`.

    Attributes:
        examples: an example is here once for each split that takes it.
        sizes: one element, {split: SplitSize}.
        tallies: (name, rows).
    """

    examples: beam.PCollection[SplitExample]
    sizes: beam.PCollection[dict[str, SplitSize]]
    tallies: beam.PCollection[tuple[str, int]]


@dataclasses.dataclass(kw_only=True, eq=False)
class AssignExamples(beam.PTransform):
    """Assigns selected examples to splits, with a position in each. A subclass is a strategy, listed in `strategies`.

    Attributes:
        by_hash: True if positions are hashes below 2^64; False if they are indices from 0, without gaps.
        keeps_groups: True if all examples of a group go to the same split.
        rules: one for each split; splits may overlap.
        salt: goes into the hash of each ImageId; another salt gives another assignment.
        partitions: number of blocks for examples that have no place in a CSV file, if the strategy ranks them. Affects
            only the speed.
        folds: whether the splits are folds: equal parts of one selection.
    """

    by_hash: ClassVar[bool]
    keeps_groups: ClassVar[bool]

    rules: tuple[SplitRule, ...]
    salt: str = ""
    partitions: int = 1
    folds: bool = False


def assign_to_splits(spec: ExampleSpec, positions: Iterable[tuple[SplitRule, int]]) -> Assigned:
    """Puts an example into splits; only the first of them counts its rows.

    Args:
        spec: the example.
        positions: the splits that take it, each with the example's position in the split.
    """
    counted = itertools.chain([spec], itertools.repeat(spec._replace(counted_rows=0)))
    return spec, [SplitExample(rule.name, at, one) for (rule, at), one in zip(positions, counted, strict=False)]


def split_outputs(assigned: Iterable[Assigned]) -> Iterator[Any]:
    """Yields the examples of splits and, tagged "tallies", the number of rows that no split takes."""
    unused = 0
    for spec, in_splits in assigned:
        yield from in_splits
        unused += 0 if in_splits else spec.counted_rows
    yield beam.pvalue.TaggedOutput("tallies", (IN_NO_SPLIT, unused))
