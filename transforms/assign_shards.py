"""Examples with positions to shards of examples, in order."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import NamedTuple

import apache_beam as beam

from transforms.assign_splits import SplitExample, SplitSize
from transforms.example import ExampleSpec
from transforms.layout import ShardLayout


class ShardKey(NamedTuple):
    """A shard: its split, and its number in the split."""

    split: str
    number: int


class PlacedExample(NamedTuple):
    """An example with the rank that it has in its shard."""

    rank: int
    spec: ExampleSpec


def place_example(
    example: SplitExample, sizes: dict[str, SplitSize], layout: ShardLayout
) -> tuple[ShardKey, PlacedExample | None]:
    """Finds an example's shard.

    Args:
        example: with its position.
        sizes: of the splits.
        layout: of the shards.
    """
    number, rank = layout.place(example.position, sizes[example.split].examples)
    return ShardKey(example.split, number), PlacedExample(rank, example.spec)


def in_order(key: ShardKey, placed: Iterable[PlacedExample | None]) -> tuple[ShardKey, list[ExampleSpec]]:
    """Sorts a shard's examples; None only says that there is such a shard."""
    return ShardKey(*key), [example.spec for example in sorted(one for one in placed if one is not None)]


@dataclasses.dataclass(kw_only=True, eq=False)
class AssignShards(beam.PTransform):
    """Assigns examples to shards; a shard without examples is there too.

    Attributes:
        layout: of the shards.
        splits: names of the splits.
        sizes: one element, {split: SplitSize}.
    """

    layout: ShardLayout
    splits: tuple[str, ...]
    sizes: beam.PCollection[dict[str, SplitSize]]

    def expand(self, examples: beam.PCollection[SplitExample]) -> beam.PCollection[tuple[ShardKey, list[ExampleSpec]]]:
        every_shard = [
            (ShardKey(split, number), None) for split in self.splits for number in range(self.layout.num_shards)
        ]
        # Beam has a deterministic coder for plain tuples only, so ShardKey is not named here.
        shard_type = tuple[tuple[str, int], PlacedExample | None]
        placed = examples | "PlaceExample" >> beam.Map(
            place_example, beam.pvalue.AsSingleton(self.sizes), self.layout
        ).with_output_types(shard_type)
        empty = examples.pipeline | "EveryShard" >> beam.Create(every_shard, reshuffle=False).with_output_types(
            shard_type
        )
        return (
            (placed, empty)
            | "WithEveryShard" >> beam.Flatten()
            | "GroupByShard" >> beam.GroupByKey()
            # (ShardKey, [PlacedExample | None])
            | "InOrder" >> beam.MapTuple(in_order)
        )
