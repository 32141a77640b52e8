"""Assigns examples to splits by the order of their names, for images that no CSV puts in an order."""

from __future__ import annotations

import bisect
import dataclasses
import functools
import operator
from collections.abc import Iterable, Iterator, Sequence
from typing import ClassVar

import apache_beam as beam

from maskmill.transforms.assignment.assign_by_position import cut_by_share
from maskmill.transforms.assignment.assign_examples import (
    Assigned,
    AssignedExamples,
    AssignExamples,
    assign_to_splits,
)
from maskmill.transforms.assignment.image_hash import hash_image
from maskmill.transforms.assignment.ranks import AssignByRank, BlockKey, BlockKeyType, Offsets, cut_each
from maskmill.transforms.assignment.splits import SelectedExample, SplitRule, rules_by_selection
from maskmill.transforms.examples.spec import ExampleSpec


def hash_and_name(selected: SelectedExample) -> tuple[int, str]:
    """Returns the name of an example, after its hash: the names with the smallest hashes are a sample of all."""
    # Beam encodes integers below 2^63 in a few bytes.
    return hash_image(selected.spec.image_id, "").place >> 1, selected.spec.image_id


def name_bounds(sample: Iterable[tuple[int, str]]) -> list[str]:
    """Returns the names of a sample, in order: they bound blocks of about the same number of names."""
    return sorted(name for _, name in sample)


def name_block(selected: SelectedExample, bounds: Sequence[str]) -> BlockKeyType:
    """Returns the block that holds an example's name."""
    return selected.selection, 0, 0, bisect.bisect(bounds, selected.spec.image_id)


def assign_by_name(
    key: BlockKey, specs: Iterable[ExampleSpec], offsets: Offsets, rules: Iterable[SplitRule]
) -> Iterator[Assigned]:
    """Assigns the examples of a block to the splits whose range includes their rank."""
    of_selection = rules_by_selection(rules)[key.selection]
    ranges = list(zip(of_selection, offsets.bounds[key.selection, key.stratum], strict=True))
    in_order = sorted(specs, key=operator.attrgetter("image_id"))
    for rank, spec in enumerate(in_order, start=offsets.first_ranks[key]):
        yield assign_to_splits(spec, ((rule, rank - start) for rule, (start, stop) in ranges if start <= rank < stop))


@dataclasses.dataclass(kw_only=True, eq=False)
class AssignByName(AssignExamples):
    """Assigns examples in the order of their ImageIds: by Unicode code points, as most programs sort them."""

    by_hash: ClassVar[bool] = False
    keeps_groups: ClassVar[bool] = False

    def expand(self, selected: beam.PCollection[SelectedExample]) -> AssignedExamples:
        bounds = (
            selected
            | "HashAndName" >> beam.Map(hash_and_name).with_output_types(tuple[int, str])
            | "SampleNames" >> beam.combiners.Top.Smallest(self.partitions)
            | "NameBounds" >> beam.Map(name_bounds)
        )
        assigned: AssignedExamples = selected | "Assign" >> AssignByRank(
            block_of=name_block,
            block_args=(beam.pvalue.AsSingleton(bounds),),
            assign=functools.partial(assign_by_name, rules=self.rules),
            cut=functools.partial(cut_each, cut=cut_by_share),
            rules=self.rules,
        )
        return assigned
