"""Ranks examples in parallel. A rank is an example's index in the order of its stratum.

No step holds all examples. Each block counts its own; prefix sums over these counts, a small side input, give the rank
of each block's first example.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import apache_beam as beam

from maskmill.transforms.assignment.assign_examples import Assigned, AssignedExamples, split_outputs
from maskmill.transforms.assignment.image_hash import HASH_BITS
from maskmill.transforms.assignment.splits import (
    SelectedExample,
    SplitExample,
    SplitRule,
    SplitSize,
    rules_by_selection,
)
from maskmill.transforms.batches import IntoBatches
from maskmill.transforms.codec import PackedBatch, unpack
from maskmill.transforms.examples.spec import SPEC_CODEC, ExampleSpec


class BlockKey(NamedTuple):
    """Identifies a block of examples. The order of keys is the order of blocks.

    Attributes:
        selection: index in `selections_of`.
        stratum: number of a part of the selection that is cut into splits on its own.
        file_index: of the CSV file, among those of its source; 0 for a block of hashes.
        start: offset of the block in the CSV file, in bytes; or the index of a block of hashes.
    """

    selection: int
    stratum: int
    file_index: int
    start: int


# Beam has a deterministic coder only for plain tuples.
BlockKeyType = tuple[int, int, int, int]
# The first rank, and the one after the last, of each of a selection's splits in a stratum.
Bounds = list[tuple[int, int]]
# Cuts a stratum of so many examples into a selection's splits.
CutOne = Callable[[Sequence[SplitRule], int], Bounds]
# Cuts all strata of a selection, given their numbers of examples.
Cut = Callable[[Sequence[SplitRule], Mapping[int, int]], Mapping[int, Bounds]]


class Offsets(NamedTuple):
    """Tells where blocks begin, and where splits do.

    Attributes:
        first_ranks: rank of a block's first example.
        totals: number of examples by (selection, stratum).
        bounds: of the selection's splits, by (selection, stratum).
    """

    first_ranks: Mapping[BlockKey, int]
    totals: Mapping[tuple[int, int], int]
    bounds: Mapping[tuple[int, int], Bounds]

    def strata(self, selection: int) -> list[tuple[int, int]]:
        """Returns the strata of a selection in ascending order, each with its number of examples."""
        return [(stratum, total) for (number, stratum), total in sorted(self.totals.items()) if number == selection]


# Assigns the examples of a block to splits.
AssignBlock = Callable[[BlockKey, Iterable[ExampleSpec], Offsets], Iterator[Assigned]]


def hash_block(number: int, blocks: int) -> int:
    """Returns the index of the block that holds a hash, when the range of hashes is divided into equal blocks."""
    return number * blocks >> HASH_BITS


def cut_each(rules: Sequence[SplitRule], totals: Mapping[int, int], cut: CutOne) -> dict[int, Bounds]:
    """Cuts each stratum by itself; see `Cut`."""
    return {stratum: cut(rules, total) for stratum, total in totals.items()}


def offsets_of(counts: Iterable[tuple[BlockKeyType, int]], rules: Iterable[SplitRule], cut: Cut) -> Offsets:
    """Computes offsets from each block's number of examples."""
    first_ranks: dict[BlockKey, int] = {}
    totals: dict[tuple[int, int], int] = defaultdict(int)
    for key, count in sorted(counts):
        block = BlockKey(*key)
        first_ranks[block] = totals[block.selection, block.stratum]
        totals[block.selection, block.stratum] += count
    offsets = Offsets(first_ranks, dict(totals), {})
    cuts = [cut(of_one, dict(offsets.strata(number))) for number, of_one in enumerate(rules_by_selection(rules))]
    bounds = {(number, stratum): found for number, strata in enumerate(cuts) for stratum, found in strata.items()}
    return offsets._replace(bounds=bounds)


def split_sizes(offsets: Offsets, rules: Iterable[SplitRule]) -> dict[str, SplitSize]:
    """Computes the size of each split, by name."""
    rules = list(rules)
    sizes = {rule.name: SplitSize(0, 0) for rule in rules}
    for selection, of_selection in enumerate(rules_by_selection(rules)):
        for stratum, total in offsets.strata(selection):
            for rule, (start, stop) in zip(of_selection, offsets.bounds[selection, stratum], strict=True):
                size = sizes[rule.name]
                sizes[rule.name] = SplitSize(size.examples + stop - start, size.candidates + total)
    return sizes


class AssignBlockExamples(beam.DoFn):
    """Assigns the examples of a block to splits."""

    def __init__(self, assign: AssignBlock) -> None:
        self.assign = assign

    def process(self, block: tuple[BlockKeyType, Iterable[PackedBatch]], offsets: Offsets) -> Iterable[Any]:
        """Yields the outputs of `split_outputs`."""
        key, batches = block
        yield from split_outputs(self.assign(BlockKey(*key), unpack(batches, SPEC_CODEC), offsets))


@dataclasses.dataclass(kw_only=True, eq=False)
class AssignByRank(beam.PTransform):
    """Assigns examples to splits by their ranks. The strategies that need ranks are made of it.

    Attributes:
        block_of: returns an example's block.
        block_args: further arguments of `block_of`; they may be side inputs.
        assign: assigns the examples of a block.
        cut: cuts the strata into splits.
        rules: one for each split.
    """

    block_of: Callable[..., BlockKeyType]
    block_args: tuple[object, ...]
    assign: AssignBlock
    cut: Cut
    rules: tuple[SplitRule, ...]

    def expand(self, selected: beam.PCollection[SelectedExample]) -> AssignedExamples:
        blocks = (
            selected
            | "KeyByBlock" >> beam.Map(key_by_block, self.block_of, *self.block_args)
            | "BatchExamples" >> beam.ParDo(IntoBatches(SPEC_CODEC)).with_output_types(tuple[BlockKeyType, PackedBatch])
            | "GroupBlocks" >> beam.GroupByKey()
        )  # (BlockKey, [PackedBatch of ExampleSpec])
        offsets = (
            blocks
            | "CountExamples" >> beam.MapTuple(lambda key, batches: (key, sum(count for count, _ in batches)))
            | "CollectCounts" >> beam.combiners.ToList()
            | "Offsets" >> beam.Map(offsets_of, self.rules, self.cut)
        )
        assigned = blocks | "AssignBlock" >> beam.ParDo(
            AssignBlockExamples(self.assign), beam.pvalue.AsSingleton(offsets)
        ).with_outputs("tallies", main="examples").with_output_types(SplitExample)
        sizes = offsets | "SplitSizes" >> beam.Map(split_sizes, self.rules)
        return AssignedExamples(assigned.examples, sizes, assigned.tallies)


def key_by_block(
    selected: SelectedExample, block_of: Callable[..., BlockKeyType], *block_args: object
) -> tuple[BlockKeyType, ExampleSpec]:
    """Keys an example by its block."""
    return block_of(selected, *block_args), selected.spec
