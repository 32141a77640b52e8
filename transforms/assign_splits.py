"""Annotated images to examples with their positions in the splits.

Positions are ranks in the order of the CSV, among the examples of a class. No step holds all rows: the examples of a
block are ranked by themselves, and prefix sums over the blocks' counts, a small side input, say where the block begins.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import apache_beam as beam

from transforms.batches import Batch
from transforms.example import ExampleSpec, spec_from_plain
from transforms.group_by_image import AnnotatedImage
from transforms.progress import PROGRESS
from transforms.select_examples import BlockKey, BlockKeyType, SelectExamples
from transforms.splits import AssignedExamples, Selection, SplitExample, SplitRule, SplitSize

UNUSED = "filtered: in no split"


class Offsets(NamedTuple):
    """Where the blocks begin.

    Attributes:
        blocks: position, in its selection, of a block's first example.
        totals: number of examples of a selection.
    """

    blocks: Mapping[BlockKey, int]
    totals: Mapping[Selection, int]


def positions_of(rule: SplitRule, examples: int) -> tuple[int, int]:
    """First position, and the one after the last, that a split takes of so many examples of its selection."""
    cut = math.floor(rule.share * examples)
    return (0, cut) if rule.before_cut else (cut, examples)


def offsets_of(counts: Iterable[tuple[BlockKeyType, int]]) -> Offsets:
    """Prefix sums over the blocks' numbers of examples, in the order of file and block."""
    blocks: dict[BlockKey, int] = {}
    totals: dict[Selection, int] = defaultdict(int)
    for key, count in sorted(counts):
        block = BlockKey(*key)
        blocks[block] = totals[block.selection]
        totals[block.selection] += count
    return Offsets(blocks, dict(totals))


def split_sizes(offsets: Offsets, rules: Iterable[SplitRule]) -> dict[str, SplitSize]:
    """Sizes of the splits, by name."""
    sizes = {}
    for rule in rules:
        candidates = offsets.totals.get(rule.selection, 0)
        start, stop = positions_of(rule, candidates)
        sizes[rule.name] = SplitSize(stop - start, candidates)
    return sizes


def announce(sizes: dict[str, SplitSize]) -> dict[str, SplitSize]:
    """The sizes, told to whoever watches this process."""
    PROGRESS.expect(sum(size.examples for size in sizes.values()))
    return sizes


def assign_block(
    key: BlockKey, specs: Iterable[ExampleSpec], offsets: Offsets, rules: Iterable[SplitRule]
) -> Iterator[tuple[ExampleSpec, list[SplitExample]]]:
    """Gives the examples of a block their positions.

    Yields:
        each example with its places: none where no split takes it, several where splits overlap.
    """
    rules = [rule for rule in rules if rule.selection == key.selection]
    bounds = [(rule, *positions_of(rule, offsets.totals[key.selection])) for rule in rules]
    in_order = sorted(specs, key=lambda spec: spec.rows[0].line)
    for position, spec in enumerate(in_order, start=offsets.blocks[key]):
        yield spec, places(spec, ((rule, position - start) for rule, start, stop in bounds if start <= position < stop))


def places(spec: ExampleSpec, uses: Iterable[tuple[SplitRule, int]]) -> list[SplitExample]:
    """An example's places in splits, of each its rule and the position; the first accounts for the example's rows."""
    counted = itertools.chain([spec], itertools.repeat(spec._replace(counted_rows=0)))
    return [SplitExample(rule.name, position, one) for (rule, position), one in zip(uses, counted, strict=False)]


class AssignBlock(beam.DoFn):
    """Gives the examples of a block their positions; see `AssignedExamples` for the outputs."""

    def __init__(self, rules: tuple[SplitRule, ...]) -> None:
        self.rules = rules

    def process(self, element: tuple[BlockKeyType, Iterable[Batch]], offsets: Offsets) -> Iterable[Any]:
        """Yields the block's examples, once for each split that takes them."""
        specs = map(spec_from_plain, itertools.chain.from_iterable(element[1]))
        yield from outputs_of_block(assign_block(BlockKey(*element[0]), specs, offsets, self.rules))


def outputs_of_block(assigned: Iterable[tuple[ExampleSpec, list[SplitExample]]]) -> Iterator[Any]:
    """The examples of a block, and as a tally the rows that no split takes."""
    unused = 0
    for spec, uses in assigned:
        yield from uses
        unused += 0 if uses else len(spec.rows)
    yield beam.pvalue.TaggedOutput("tallies", (UNUSED, unused))


@dataclasses.dataclass(kw_only=True, eq=False)
class AssignSplits(beam.PTransform):
    """Makes examples of annotated images, and gives them their splits and positions.

    Attributes:
        rules: of the splits; the examples before the cut are the first in the CSV, their number is rounded down.
    """

    rules: tuple[SplitRule, ...]

    def expand(self, images: beam.PCollection[AnnotatedImage]) -> AssignedExamples:
        blocks = images | SelectExamples(rules=self.rules)  # (BlockKey, [Batch of ExampleSpec])
        offsets = (
            blocks
            | "CountExamples" >> beam.MapTuple(lambda key, batches: (key, sum(map(len, batches))))
            | "CollectCounts" >> beam.combiners.ToList()
            | "OffsetsOfBlocks" >> beam.Map(offsets_of)
        )
        assigned = blocks | "AssignPositions" >> beam.ParDo(
            AssignBlock(self.rules), beam.pvalue.AsSingleton(offsets)
        ).with_outputs("tallies", main="examples").with_output_types(SplitExample)
        sizes = offsets | "SizesOfSplits" >> beam.Map(
            lambda found, rules: announce(split_sizes(found, rules)), self.rules
        )
        return AssignedExamples(assigned.examples, sizes, assigned.tallies)
