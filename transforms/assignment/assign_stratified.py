"""Examples to splits that have their share of every class, be it rare, and to places that a hash decides.

The examples of a selection are divided into strata: those of their rarest class, and those without any. Each stratum is
cut by itself, in the order of the examples' hashes.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence

import apache_beam as beam

from maskmill.transforms.assignment.assign_by_position import Offsets, assign_ranked, places
from maskmill.transforms.assignment.example_blocks import BlockKey, BlockKeyType, GroupByBlock, block_of_hash
from maskmill.transforms.assignment.image_hash import hash_image
from maskmill.transforms.assignment.splits import (
    AssignedExamples,
    SelectedExample,
    SplitExample,
    SplitRule,
    rules_by_selection,
)
from maskmill.transforms.examples.spec import ExampleSpec

# Stratum of the examples without a defect.
NEGATIVES = 0

# Number of examples that have something of a class, by selection and class.
ClassCounts = Mapping[tuple[int, int], int]


def classes_of(selected: SelectedExample) -> Iterator[tuple[int, int]]:
    """The selection of an example with each of its classes."""
    for class_id in sorted(selected.spec.class_ids):
        yield selected.selection, class_id


def stratum_of(selected: SelectedExample, counts: ClassCounts) -> int:
    """The number of an example's rarest class; of classes that are as rare, that of the lower number."""
    number, _, spec = selected
    return min(spec.class_ids, key=lambda class_id: (counts[number, class_id], class_id), default=NEGATIVES)


def key_by_stratum(
    selected: SelectedExample, counts: ClassCounts, salt: str, blocks: int
) -> tuple[BlockKeyType, ExampleSpec]:
    """Puts an example into a block of its stratum, by its hash."""
    spec = selected.spec
    block = block_of_hash(hash_image(spec.image_id, salt).split, blocks)
    return (selected.selection, stratum_of(selected, counts), 0, block), spec


def cut_stratum(rules: Sequence[SplitRule], examples: int) -> list[tuple[int, int]]:
    """Cuts a stratum: the nearest whole numbers, but each split has one example at least where there are so many.

    Returns:
        of each split the first rank, and the one after the last.
    """
    shares = sorted({0.0, 1.0, *(share for rule in rules for share in (rule.start, rule.stop))})
    least = [int(any(rule.start <= a and b <= rule.stop for rule in rules)) for a, b in itertools.pairwise(shares)]
    ranks = [round(share * examples) for share in shares]
    if sum(least) <= examples:
        for index in range(1, len(ranks)):
            ranks[index] = max(ranks[index], ranks[index - 1] + least[index - 1])
        ranks[-1] = examples
        for index in range(len(ranks) - 1, 0, -1):
            ranks[index - 1] = min(ranks[index - 1], ranks[index] - least[index - 1])
    rank_of = dict(zip(shares, ranks, strict=True))
    return [(rank_of[rule.start], rank_of[rule.stop]) for rule in rules]


def assign_stratum(
    key: BlockKey, specs: Iterable[ExampleSpec], offsets: Offsets, rules: Iterable[SplitRule], salt: str
) -> Iterator[tuple[ExampleSpec, list[SplitExample]]]:
    """Gives the examples of a block their places.

    Yields:
        each example with its places: none where no split takes it, several where splits overlap.
    """
    of_selection = rules_by_selection(rules)[key.selection]
    bounds = cut_stratum(of_selection, offsets.totals[key.selection, key.stratum])
    hashed = sorted(((hash_image(spec.image_id, salt), spec.image_id, spec) for spec in specs), key=lambda one: one[:2])
    for rank, (image, _, spec) in enumerate(hashed, start=offsets.blocks[key]):
        taking = (rule for rule, (start, stop) in zip(of_selection, bounds, strict=True) if start <= rank < stop)
        yield spec, places(spec, ((rule, image.place) for rule in taking))


@dataclasses.dataclass(kw_only=True, eq=False)
class AssignStratified(beam.PTransform):
    """Gives examples their splits, which have their share of each class, and their places.

    Attributes:
        rules: of the splits.
        salt: of the hash.
        blocks: number of blocks of each stratum.
    """

    rules: tuple[SplitRule, ...]
    salt: str = ""
    blocks: int = 1

    def expand(self, selected: beam.PCollection[SelectedExample]) -> AssignedExamples:
        counts = (
            selected
            | "ClassesOfExample" >> beam.FlatMap(classes_of).with_output_types(tuple[int, int])
            | "CountClasses" >> beam.combiners.Count.PerElement()
        )
        blocks = selected | GroupByBlock(key=key_by_stratum, args=(beam.pvalue.AsDict(counts), self.salt, self.blocks))
        assign = functools.partial(assign_stratum, rules=self.rules, salt=self.salt)
        return assign_ranked(blocks, assign, cut_stratum, self.rules)
