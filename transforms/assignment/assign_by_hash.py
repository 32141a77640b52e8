"""Examples to splits and shards that a hash of their ImageId decides.

An image's place does not depend on the order of the rows, nor on what other images there are: where some come or go,
only their own shards change.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import apache_beam as beam

from maskmill.transforms.assignment.assign_by_position import announce, outputs_of_block, places
from maskmill.transforms.assignment.example_blocks import BlockKey, BlockKeyType, GroupByBlock, key_by_position
from maskmill.transforms.assignment.image_hash import hash_image, share_of_hashes
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


def split_hash(spec: ExampleSpec, salt: str) -> int:
    """The hash that decides an example's split: its own, or that of its group, so that a group is all in one split."""
    return hash_image(spec.group or spec.image_id, salt).split


def takes(rule: SplitRule, number: int) -> bool:
    """Whether a split takes the examples with a hash."""
    return share_of_hashes(rule.start) <= number < share_of_hashes(rule.stop)


def assign_by_hash(
    key: BlockKey, specs: Iterable[ExampleSpec], rules: Iterable[SplitRule], salt: str
) -> Iterator[tuple[ExampleSpec, list[SplitExample]]]:
    """Gives the examples of a block their places.

    Yields:
        each example with its places: none where no split takes it, several where splits overlap.
    """
    of_selection = rules_by_selection(rules)[key.selection]
    for spec in specs:
        number, place = split_hash(spec, salt), hash_image(spec.image_id, salt).place
        yield spec, places(spec, ((rule, place) for rule in of_selection if takes(rule, number)))


def count_by_hash(
    block: tuple[BlockKeyType, Iterable[Batch]], rules: Iterable[SplitRule], salt: str
) -> dict[str, SplitSize]:
    """What a block of examples adds to the sizes of the splits, by name."""
    key, batches = block
    specs = map(spec_from_plain, unpack(batches))
    numbers = [split_hash(spec, salt) for spec in specs]
    of_selection = rules_by_selection(rules)[BlockKey(*key).selection]
    return {rule.name: SplitSize(sum(takes(rule, one) for one in numbers), len(numbers)) for rule in of_selection}


def sum_sizes(parts: Iterable[dict[str, SplitSize]], rules: Iterable[SplitRule]) -> dict[str, SplitSize]:
    """Sizes of the splits, of those of their parts."""
    examples: Counter[str] = Counter()
    candidates: Counter[str] = Counter()
    for part in parts:
        for name, size in part.items():
            examples[name] += size.examples
            candidates[name] += size.candidates
    return {rule.name: SplitSize(examples[rule.name], candidates[rule.name]) for rule in rules}


class AssignBlockByHash(beam.DoFn):
    """Gives the examples of a block their places; see `AssignedExamples` for the outputs."""

    def __init__(self, rules: tuple[SplitRule, ...], salt: str) -> None:
        self.rules = rules
        self.salt = salt

    def process(self, element: tuple[BlockKeyType, Iterable[Batch]], _: object) -> Iterable[Any]:
        """Yields the block's examples, once for each split that takes them.

        The sizes of the splits are a side input although only the next step looks at them: so it goes on with the
        examples as they come, and they are not written down to wait for the sizes.
        """
        specs = map(spec_from_plain, unpack(element[1]))
        yield from outputs_of_block(assign_by_hash(BlockKey(*element[0]), specs, self.rules, self.salt))


@dataclasses.dataclass(kw_only=True, eq=False)
class AssignByHash(beam.PTransform):
    """Gives examples their splits and places by a hash of their ImageId, or of their group where they have one.

    Attributes:
        rules: of the splits, each of which takes about its share of all.
        salt: of the hash.
        blocks: number of blocks of examples that the CSV does not have.
    """

    rules: tuple[SplitRule, ...]
    salt: str = ""
    blocks: int = 1

    def expand(self, selected: beam.PCollection[SelectedExample]) -> AssignedExamples:
        blocks = selected | GroupByBlock(key=key_by_position, args=(self.salt, self.blocks))
        sizes = (
            blocks
            | "CountByHash" >> beam.Map(count_by_hash, self.rules, self.salt)
            | "CollectSizes" >> beam.combiners.ToList()
            | "SumSizes" >> beam.Map(lambda parts, rules: announce(sum_sizes(parts, rules)), self.rules)
        )
        assigned = blocks | "AssignByHash" >> beam.ParDo(
            AssignBlockByHash(self.rules, self.salt), beam.pvalue.AsSingleton(sizes)
        ).with_outputs("tallies", main="examples").with_output_types(SplitExample)
        return AssignedExamples(assigned.examples, sizes, assigned.tallies)
