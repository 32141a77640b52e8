"""Examples to their positions in the splits.

Positions are ranks in the order of the CSV, among the examples of some classes. No step holds all rows: the examples
of a block are ranked by themselves, and prefix sums over the blocks' counts, a small side input, say where it begins.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import apache_beam as beam

from maskmill.transforms.assignment.example_blocks import BlockKey, BlockKeyType, GroupByBlock, key_by_position
from maskmill.transforms.assignment.image_hash import hash_image
from maskmill.transforms.assignment.splits import (
    AssignedExamples,
    SelectedExample,
    SplitExample,
    SplitRule,
    SplitSize,
    rules_by_selection,
)
from maskmill.transforms.batches import Batch, unpack
from maskmill.transforms.examples.spec import ExampleSpec, spec_from_plain
from maskmill.transforms.parallel.progress import PROGRESS

UNUSED = "filtered: in no split"


class Offsets(NamedTuple):
    """Where the blocks begin.

    Attributes:
        blocks: rank, in its stratum, of a block's first example.
        totals: number of examples of a stratum, by selection and stratum.
    """

    blocks: Mapping[BlockKey, int]
    totals: Mapping[tuple[int, int], int]

    def strata(self, selection: int) -> list[tuple[int, int]]:
        """The strata of a selection, in order, each with its number of examples."""
        return [(stratum, total) for (number, stratum), total in sorted(self.totals.items()) if number == selection]


# Gives the first rank in a stratum of so many, and the one after the last, that each of a selection's splits takes.
Cut = Callable[[Sequence[SplitRule], int], list[tuple[int, int]]]


def cut_by_share(rules: Sequence[SplitRule], examples: int) -> list[tuple[int, int]]:
    """Cuts a stratum as the original does: the numbers of examples are rounded down."""
    return [(math.floor(rule.start * examples), math.floor(rule.stop * examples)) for rule in rules]


def offsets_of(counts: Iterable[tuple[BlockKeyType, int]]) -> Offsets:
    """Prefix sums over the blocks' numbers of examples, in the order of the blocks."""
    blocks: dict[BlockKey, int] = {}
    totals: dict[tuple[int, int], int] = defaultdict(int)
    for key, count in sorted(counts):
        block = BlockKey(*key)
        blocks[block] = totals[block.selection, block.stratum]
        totals[block.selection, block.stratum] += count
    return Offsets(blocks, dict(totals))


def split_sizes(offsets: Offsets, rules: Iterable[SplitRule], cut: Cut) -> dict[str, SplitSize]:
    """Sizes of the splits, by name."""
    rules = list(rules)
    sizes = {rule.name: SplitSize(0, 0) for rule in rules}
    for number, of_selection in enumerate(rules_by_selection(rules)):
        for _, total in offsets.strata(number):
            for rule, (start, stop) in zip(of_selection, cut(of_selection, total), strict=True):
                examples, candidates = sizes[rule.name]
                sizes[rule.name] = SplitSize(examples + stop - start, candidates + total)
    return sizes


def announce(sizes: dict[str, SplitSize]) -> dict[str, SplitSize]:
    """The sizes, told to whoever watches this process."""
    PROGRESS.expect(sum(size.examples for size in sizes.values()))
    return sizes


def assign_block(
    key: BlockKey, specs: Iterable[ExampleSpec], offsets: Offsets, rules: Iterable[SplitRule], salt: str = ""
) -> Iterator[tuple[ExampleSpec, list[SplitExample]]]:
    """Gives the examples of a block their positions.

    Yields:
        each example with its places: none where no split takes it, several where splits overlap.
    """
    of_selection = rules_by_selection(rules)[key.selection]
    bounds = cut_by_share(of_selection, offsets.totals[key.selection, key.stratum])
    # In a split, those of one stratum come after those of the one before.
    before = [0] * len(of_selection)
    for stratum, total in offsets.strata(key.selection):
        if stratum < key.stratum:
            for index, (start, stop) in enumerate(cut_by_share(of_selection, total)):
                before[index] += stop - start
    uses = list(zip(of_selection, bounds, before, strict=True))
    in_order = sorted(specs, key=lambda spec: spec.rows[0].line if spec.rows else _hash_order(spec, salt))
    for rank, spec in enumerate(in_order, start=offsets.blocks[key]):
        taking = ((rule, rank - start + first) for rule, (start, stop), first in uses if start <= rank < stop)
        yield spec, places(spec, taking)


def _hash_order(spec: ExampleSpec, salt: str) -> tuple[int, str]:
    return hash_image(spec.image_id, salt).place, spec.image_id


def places(spec: ExampleSpec, uses: Iterable[tuple[SplitRule, int]]) -> list[SplitExample]:
    """An example's places in splits, of each its rule and the position; the first accounts for the example's rows."""
    counted = itertools.chain([spec], itertools.repeat(spec._replace(counted_rows=0)))
    return [SplitExample(rule.name, position, one) for (rule, position), one in zip(uses, counted, strict=False)]


# Gives the examples of a block their places, as `assign_block` does.
Assign = Callable[[BlockKey, Iterable[ExampleSpec], Offsets], Iterator[tuple[ExampleSpec, list[SplitExample]]]]


class AssignBlock(beam.DoFn):
    """Gives the examples of a block their places; see `AssignedExamples` for the outputs."""

    def __init__(self, assign: Assign) -> None:
        self.assign = assign

    def process(self, element: tuple[BlockKeyType, Iterable[Batch]], offsets: Offsets) -> Iterable[Any]:
        """Yields the block's examples, once for each split that takes them."""
        specs = map(spec_from_plain, unpack(element[1]))
        yield from outputs_of_block(self.assign(BlockKey(*element[0]), specs, offsets))


def outputs_of_block(assigned: Iterable[tuple[ExampleSpec, list[SplitExample]]]) -> Iterator[Any]:
    """The examples of a block, and as a tally the rows that no split takes."""
    unused = 0
    for spec, uses in assigned:
        yield from uses
        unused += 0 if uses else spec.counted_rows
    yield beam.pvalue.TaggedOutput("tallies", (UNUSED, unused))


def assign_ranked(
    blocks: beam.PCollection[tuple[BlockKeyType, Iterable[Batch]]], assign: Assign, cut: Cut, rules: Sequence[SplitRule]
) -> AssignedExamples:
    """Adds the steps that rank the examples of each stratum, and give them their places.

    Args:
        blocks: the examples, by block.
        assign: of a block.
        cut: of a stratum.
        rules: of the splits.
    """
    offsets = (
        blocks
        | "CountExamples" >> beam.MapTuple(lambda key, batches: (key, sum(count for count, _ in batches)))
        | "CollectCounts" >> beam.combiners.ToList()
        | "OffsetsOfBlocks" >> beam.Map(offsets_of)
    )
    assigned = blocks | "AssignPlaces" >> beam.ParDo(
        AssignBlock(assign), beam.pvalue.AsSingleton(offsets)
    ).with_outputs("tallies", main="examples").with_output_types(SplitExample)
    sizes = offsets | "SizesOfSplits" >> beam.Map(lambda found: announce(split_sizes(found, rules, cut)))
    return AssignedExamples(assigned.examples, sizes, assigned.tallies)


@dataclasses.dataclass(kw_only=True, eq=False)
class AssignSplits(beam.PTransform):
    """Gives examples their splits and positions: those that the CSV has, and behind them the others by their hash.

    Attributes:
        rules: of the splits.
        salt: of the hash.
        blocks: number of blocks of those that the CSV does not have.
    """

    rules: tuple[SplitRule, ...]
    salt: str = ""
    blocks: int = 1

    def expand(self, selected: beam.PCollection[SelectedExample]) -> AssignedExamples:
        blocks = selected | GroupByBlock(key=key_by_position, args=(self.salt, self.blocks))
        assign = functools.partial(assign_block, rules=self.rules, salt=self.salt)
        return assign_ranked(blocks, assign, cut_by_share, self.rules)
