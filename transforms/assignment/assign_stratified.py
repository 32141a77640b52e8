"""Assigns examples to splits so that each split gets its share of every class, however rare.

The examples of a selection are divided into strata: one for each class, with the examples whose rarest class it is, and
one for examples without a defect. Each stratum is cut on its own, in the order of the examples' hashes. Folds have
other strata; see `stratified_folds`.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import ClassVar

import apache_beam as beam

from maskmill.transforms.assignment.assign_examples import (
    Assigned,
    AssignedExamples,
    AssignExamples,
    assign_to_splits,
)
from maskmill.transforms.assignment.image_hash import hash_image
from maskmill.transforms.assignment.ranks import AssignByRank, BlockKey, BlockKeyType, Offsets, cut_each, hash_block
from maskmill.transforms.assignment.splits import SelectedExample, SplitRule, rules_by_selection
from maskmill.transforms.assignment.stratified_folds import cut_sets, set_block
from maskmill.transforms.examples.spec import ExampleSpec

# The stratum of examples without a defect; the other strata have the numbers of their classes.
NO_DEFECT_STRATUM = 0

# Number of examples with a defect of a class, by (selection, class).
ExamplesByClass = Mapping[tuple[int, int], int]


def classes_of(selected: SelectedExample) -> Iterator[tuple[int, int]]:
    """Yields (selection, class) for each class of an example."""
    for class_id in sorted(selected.spec.class_ids):
        yield selected.selection, class_id


def stratum_of(selected: SelectedExample, counts: ExamplesByClass) -> int:
    """Returns the number of an example's rarest class; among equally rare ones, the lowest."""
    return min(
        selected.spec.class_ids,
        key=lambda class_id: (counts[selected.selection, class_id], class_id),
        default=NO_DEFECT_STRATUM,
    )


def stratum_block(selected: SelectedExample, counts: ExamplesByClass, salt: str, blocks: int) -> BlockKeyType:
    """Returns the block of an example's stratum that holds its hash."""
    number = hash_image(selected.spec.image_id, salt).split
    return selected.selection, stratum_of(selected, counts), 0, hash_block(number, blocks)


def cut_stratum(rules: Sequence[SplitRule], examples: int) -> list[tuple[int, int]]:
    """Cuts a stratum at each rule's shares, rounded so that each split gets at least one example if there are enough.

    Returns:
        the first rank of each split, and the one after its last.
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


def assign_stratified(
    key: BlockKey, specs: Iterable[ExampleSpec], offsets: Offsets, rules: Iterable[SplitRule], salt: str
) -> Iterator[Assigned]:
    """Assigns the examples of a block to the splits whose range includes their rank."""
    of_selection = rules_by_selection(rules)[key.selection]
    bounds = offsets.bounds[key.selection, key.stratum]
    hashed = sorted(((hash_image(spec.image_id, salt), spec.image_id, spec) for spec in specs), key=lambda one: one[:2])
    for rank, (image, _, spec) in enumerate(hashed, start=offsets.first_ranks[key]):
        taking = (rule for rule, (start, stop) in zip(of_selection, bounds, strict=True) if start <= rank < stop)
        yield assign_to_splits(spec, ((rule, image.place) for rule in taking))


@dataclasses.dataclass(kw_only=True, eq=False)
class AssignStratified(AssignExamples):
    """Assigns examples so that each split gets its share of every class; a hash decides their shards."""

    by_hash: ClassVar[bool] = True
    keeps_groups: ClassVar[bool] = False

    def expand(self, selected: beam.PCollection[SelectedExample]) -> AssignedExamples:
        assign = functools.partial(assign_stratified, rules=self.rules, salt=self.salt)
        assigned: AssignedExamples
        if self.folds:
            assigned = selected | "Assign" >> AssignByRank(
                block_of=set_block,
                block_args=(self.salt, self.partitions),
                assign=assign,
                cut=cut_sets,
                rules=self.rules,
            )
            return assigned
        counts = (
            selected
            | "ClassesOfExample" >> beam.FlatMap(classes_of).with_output_types(tuple[int, int])
            | "CountClasses" >> beam.combiners.Count.PerElement()
        )
        assigned = selected | "Assign" >> AssignByRank(
            block_of=stratum_block,
            block_args=(beam.pvalue.AsDict(counts), self.salt, self.partitions),
            assign=assign,
            cut=functools.partial(cut_each, cut=cut_stratum),
            rules=self.rules,
        )
        return assigned
