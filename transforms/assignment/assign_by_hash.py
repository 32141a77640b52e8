"""Assigns examples to splits and shards by a hash of their ImageId.

An image's place depends neither on the order of the rows nor on other images: if images are added or removed, only
their own shards change.
"""

from __future__ import annotations

import dataclasses
import functools
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, ClassVar

import apache_beam as beam

from maskmill.transforms.assignment.assign_examples import (
    Assigned,
    AssignedExamples,
    AssignExamples,
    assign_to_splits,
    split_outputs,
)
from maskmill.transforms.assignment.image_hash import hash_bound, hash_image
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


def split_hash(spec: ExampleSpec, salt: str) -> int:
    """Returns the hash that decides an example's split: of its group if it has one, so that groups stay together."""
    return hash_image(spec.group or spec.image_id, salt).split


def includes_hash(rule: SplitRule, number: int) -> bool:
    """Returns whether a split takes the examples with a hash."""
    return hash_bound(rule.start) <= number < hash_bound(rule.stop)


def assign_by_hash(
    selection: int, specs: Iterable[ExampleSpec], rules: Iterable[SplitRule], salt: str
) -> Iterator[Assigned]:
    """Assigns examples of a selection to the splits whose range includes their hash."""
    of_selection = rules_by_selection(rules)[selection]
    for spec in specs:
        number, place = split_hash(spec, salt), hash_image(spec.image_id, salt).place
        yield assign_to_splits(spec, ((rule, place) for rule in of_selection if includes_hash(rule, number)))


def count_by_hash(batch: tuple[int, PackedBatch], rules: Iterable[SplitRule], salt: str) -> dict[str, SplitSize]:
    """Computes what a batch of a selection adds to the sizes of its splits, by name."""
    selection, packed = batch
    hashes = [split_hash(spec, salt) for spec in unpack([packed], SPEC_CODEC)]
    of_selection = rules_by_selection(rules)[selection]
    return {rule.name: SplitSize(sum(includes_hash(rule, one) for one in hashes), len(hashes)) for rule in of_selection}


def sum_sizes(parts: Iterable[dict[str, SplitSize]], rules: Iterable[SplitRule]) -> dict[str, SplitSize]:
    """Sums sizes of splits; a split that is in no part has size 0."""
    examples: Counter[str] = Counter()
    candidates: Counter[str] = Counter()
    for part in parts:
        for name, size in part.items():
            examples[name] += size.examples
            candidates[name] += size.candidates
    return {rule.name: SplitSize(examples[rule.name], candidates[rule.name]) for rule in rules}


class AssignBatch(beam.DoFn):
    """Assigns the examples of a batch to splits."""

    def __init__(self, rules: tuple[SplitRule, ...], salt: str) -> None:
        self.rules = rules
        self.salt = salt

    def process(self, batch: tuple[int, PackedBatch], _sizes: object) -> Iterable[Any]:
        """Yields the outputs of `split_outputs`.

        The sizes of the splits are a side input although only the next step needs them: the runner then waits for
        them here, where it keeps packed batches, and not there, where it would keep single examples.
        """
        selection, packed = batch
        yield from split_outputs(assign_by_hash(selection, unpack([packed], SPEC_CODEC), self.rules, self.salt))


@dataclasses.dataclass(kw_only=True, eq=False)
class AssignByHash(AssignExamples):
    """Assigns each example by a hash of its ImageId, or of its group if it has one. A split gets about its share."""

    by_hash: ClassVar[bool] = True
    keeps_groups: ClassVar[bool] = True

    def expand(self, selected: beam.PCollection[SelectedExample]) -> AssignedExamples:
        batches = (
            selected
            | "KeyBySelection" >> beam.Map(lambda one: (one.selection, one.spec))
            | "BatchExamples" >> beam.ParDo(IntoBatches(SPEC_CODEC)).with_output_types(tuple[int, PackedBatch])
        )  # (selection, PackedBatch of ExampleSpec), not grouped
        sizes = (
            batches
            | "CountByHash" >> beam.Map(count_by_hash, self.rules, self.salt)
            | "SumSizes" >> beam.CombineGlobally(functools.partial(sum_sizes, rules=self.rules))
        )
        assigned = batches | "AssignBatch" >> beam.ParDo(
            AssignBatch(self.rules, self.salt), beam.pvalue.AsSingleton(sizes)
        ).with_outputs("tallies", main="examples").with_output_types(SplitExample)
        return AssignedExamples(assigned.examples, sizes, assigned.tallies)
