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

from transforms.batches import Batch, IntoBatches
from transforms.example import ExampleSpec, size_of_spec, spec_from_plain, spec_to_plain
from transforms.group_by_image import AnnotatedImage
from transforms.progress import PROGRESS


class SplitRule(NamedTuple):
    """Which examples a split takes.

    Attributes:
        name: of the split.
        source: index of its annotations.
        class_id: class of its rows.
        share: of the class's examples, 0 to 1, that come before the cut, which is rounded down.
        before_cut: whether the split takes the examples before the cut, or those after it.
    """

    name: str
    source: int
    class_id: int
    share: float
    before_cut: bool

    @property
    def selection(self) -> Selection:
        """The examples that are ranked together."""
        return Selection(self.source, self.class_id)

    def bounds(self, examples: int) -> tuple[int, int]:
        """First position, and the one after the last, that the split takes of so many examples of its selection."""
        cut = math.floor(self.share * examples)
        return (0, cut) if self.before_cut else (cut, examples)


class Selection(NamedTuple):
    """Examples that are ranked together: those of one class of one source."""

    source: int
    class_id: int


class BlockKey(NamedTuple):
    """The examples of a selection whose first row is in one block of a CSV file: rank of the file, block's start."""

    source: int
    class_id: int
    rank: int
    start: int

    @property
    def selection(self) -> Selection:
        """The examples that are ranked together."""
        return Selection(self.source, self.class_id)


# Beam has a deterministic coder for plain tuples only.
BlockKeyType = tuple[int, int, int, int]


class SplitExample(NamedTuple):
    """An example with its position in a split, from 0."""

    split: str
    position: int
    spec: ExampleSpec


class Offsets(NamedTuple):
    """Where the blocks begin.

    Attributes:
        blocks: position, in its selection, of a block's first example.
        totals: number of examples of a selection.
    """

    blocks: Mapping[BlockKey, int]
    totals: Mapping[Selection, int]


class SplitSize(NamedTuple):
    """Number of examples that a split takes, and of its selection, from which it takes them."""

    examples: int
    candidates: int


class AssignedExamples(NamedTuple):
    """What `AssignSplits` gives.

    Attributes:
        examples: SplitExample.
        sizes: one element, {split: SplitSize}.
        tallies: (what, rows), to be summed.
    """

    examples: beam.PCollection[SplitExample]
    sizes: beam.PCollection[dict[str, SplitSize]]
    tallies: beam.PCollection[tuple[str, int]]


def select_examples(image: AnnotatedImage, selections: Iterable[Selection]) -> Iterator[tuple[BlockKey, ExampleSpec]]:
    """Makes an example of the rows of each selection; several rows of an image and class are one example.

    Yields:
        the block of the example's first row, and the example.
    """
    for selection in selections:
        rows = [row for row in image.rows if (row.source, row.class_id) == selection]
        if rows:
            masks = tuple(row.mask for row in rows)
            spec = ExampleSpec(image.image_id, selection.class_id, image.image, masks, len(rows))
            yield BlockKey(*selection, rows[0].rank, masks[0].line.block), spec


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
        start, stop = rule.bounds(candidates)
        sizes[rule.name] = SplitSize(stop - start, candidates)
    return sizes


def announce_sizes(offsets: Offsets, rules: Iterable[SplitRule]) -> dict[str, SplitSize]:
    """`split_sizes`, told to whoever watches this process."""
    sizes = split_sizes(offsets, rules)
    PROGRESS.expect(sum(size.examples for size in sizes.values()))
    return sizes


def assign_block(
    key: BlockKey, specs: Iterable[ExampleSpec], offsets: Offsets, rules: Iterable[SplitRule]
) -> Iterator[tuple[ExampleSpec, list[SplitExample]]]:
    """Gives the examples of a block their positions.

    Yields:
        each example with its places: none where no split takes it, several where splits overlap. The first place
        accounts for the example's rows.
    """
    rules = [rule for rule in rules if rule.selection == key.selection]
    bounds = [(rule, *rule.bounds(offsets.totals[key.selection])) for rule in rules]
    in_order = sorted(specs, key=lambda spec: spec.rows[0].line)
    for position, spec in enumerate(in_order, start=offsets.blocks[key]):
        uses = [(rule.name, position - start) for rule, start, stop in bounds if start <= position < stop]
        counted = itertools.chain([spec], itertools.repeat(spec._replace(counted_rows=0)))
        yield spec, [SplitExample(*use, one) for use, one in zip(uses, counted, strict=False)]


class AssignBlock(beam.DoFn):
    """Gives the examples of a block their positions; see `AssignedExamples` for the outputs."""

    def __init__(self, rules: tuple[SplitRule, ...]) -> None:
        self.rules = rules

    def process(self, element: tuple[BlockKeyType, Iterable[Batch]], offsets: Offsets) -> Iterable[Any]:
        """Yields the block's examples, once for each split that takes them."""
        unused = 0
        specs = map(spec_from_plain, itertools.chain.from_iterable(element[1]))
        for spec, places in assign_block(BlockKey(*element[0]), specs, offsets, self.rules):
            yield from places
            unused += 0 if places else len(spec.rows)
        yield beam.pvalue.TaggedOutput("tallies", ("filtered: in no split", unused))


@dataclasses.dataclass(kw_only=True, eq=False)
class AssignSplits(beam.PTransform):
    """Makes examples of annotated images, and gives them their splits and positions.

    Attributes:
        rules: of the splits.
    """

    rules: tuple[SplitRule, ...]

    def expand(self, images: beam.PCollection[AnnotatedImage]) -> AssignedExamples:
        selections = sorted({rule.selection for rule in self.rules})
        blocks = (
            images
            | "SelectExamples" >> beam.FlatMap(select_examples, selections)
            | "BatchExamples"
            >> beam.ParDo(IntoBatches(spec_to_plain, size_of_spec)).with_output_types(tuple[BlockKeyType, Batch])
            | "GroupByBlock" >> beam.GroupByKey()
        )  # (BlockKey, [Batch of ExampleSpec])
        offsets = (
            blocks
            | "CountExamples" >> beam.MapTuple(lambda key, batches: (key, sum(map(len, batches))))
            | "CollectCounts" >> beam.combiners.ToList()
            | "OffsetsOfBlocks" >> beam.Map(offsets_of)
        )
        assigned = blocks | "AssignPositions" >> beam.ParDo(
            AssignBlock(self.rules), beam.pvalue.AsSingleton(offsets)
        ).with_outputs("tallies", main="examples").with_output_types(SplitExample)
        sizes = offsets | "SizesOfSplits" >> beam.Map(announce_sizes, self.rules)
        return AssignedExamples(assigned.examples, sizes, assigned.tallies)
