"""Assigns examples to splits by their position in the CSV files, as the original does."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
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
from maskmill.transforms.examples.spec import ExampleSpec

# Strata: images with a row, and images that only the image folder has.
LISTED, UNLISTED = 0, 1


def csv_block(selected: SelectedExample, salt: str, blocks: int) -> BlockKeyType:
    """Returns the block of the CSV with the example's first row; for an image without rows, a block of hashes."""
    if selected.file_index is None:
        place = hash_image(selected.spec.image_id, salt).place
        return selected.selection, UNLISTED, 0, hash_block(place, blocks)
    return selected.selection, LISTED, selected.file_index, selected.spec.rows[0].line.block


def cut_by_share(rules: Sequence[SplitRule], examples: int) -> list[tuple[int, int]]:
    """Cuts a stratum at each rule's shares, rounded down as in the original; see `ranks.CutOne`."""
    return [(math.floor(rule.start * examples), math.floor(rule.stop * examples)) for rule in rules]


def cut_into_folds(rules: Sequence[SplitRule], examples: int) -> list[tuple[int, int]]:
    """Cuts a stratum into equal parts, within one example; see `ranks.CutOne`."""
    cuts = [examples * index // len(rules) for index in range(len(rules) + 1)]
    return list(itertools.pairwise(cuts))


def assign_by_position(
    key: BlockKey, specs: Iterable[ExampleSpec], offsets: Offsets, rules: Iterable[SplitRule], salt: str = ""
) -> Iterator[Assigned]:
    """Assigns the examples of a block to the splits whose range includes their rank."""
    of_selection = rules_by_selection(rules)[key.selection]
    bounds = offsets.bounds[key.selection, key.stratum]
    # Each split holds its examples stratum by stratum.
    before = [0] * len(of_selection)
    for stratum, _ in offsets.strata(key.selection):
        if stratum < key.stratum:
            for index, (start, stop) in enumerate(offsets.bounds[key.selection, stratum]):
                before[index] += stop - start
    ranges = list(zip(of_selection, bounds, before, strict=True))
    in_order = sorted(specs, key=lambda spec: spec.rows[0].line.line if spec.rows else _hash_order(spec, salt))
    for rank, spec in enumerate(in_order, start=offsets.first_ranks[key]):
        yield assign_to_splits(
            spec, ((rule, rank - start + first) for rule, (start, stop), first in ranges if start <= rank < stop)
        )


def _hash_order(spec: ExampleSpec, salt: str) -> tuple[int, str]:
    return hash_image(spec.image_id, salt).place, spec.image_id


@dataclasses.dataclass(kw_only=True, eq=False)
class AssignByPosition(AssignExamples):
    """Assigns examples in the order of the CSV. Images without a row follow, in the order of their hashes."""

    by_hash: ClassVar[bool] = False
    keeps_groups: ClassVar[bool] = False

    def expand(self, selected: beam.PCollection[SelectedExample]) -> AssignedExamples:
        assigned: AssignedExamples = selected | "Assign" >> AssignByRank(
            block_of=csv_block,
            block_args=(self.salt, self.partitions),
            assign=functools.partial(assign_by_position, rules=self.rules, salt=self.salt),
            cut=functools.partial(cut_each, cut=cut_into_folds if self.folds else cut_by_share),
            rules=self.rules,
        )
        return assigned
