"""Examples with positions to shards of examples, in order."""

from __future__ import annotations

import dataclasses
import itertools
import operator
from collections.abc import Iterable
from typing import Any, NamedTuple

import apache_beam as beam

from transforms.assign_splits import SplitExample, SplitSize
from transforms.batches import Batch, IntoBatches
from transforms.example import ExampleSpec, size_of_spec, spec_from_plain, spec_to_plain
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
) -> tuple[tuple[str, int], PlacedExample]:
    """Finds an example's shard.

    Args:
        example: with its position.
        sizes: of the splits.
        layout: of the shards.
    """
    number, rank = layout.place(example.position, sizes[example.split].examples)
    return (example.split, number), PlacedExample(rank, example.spec)


def in_order(key: ShardKey, batches: Iterable[Batch]) -> tuple[ShardKey, list[ExampleSpec]]:
    """Sorts a shard's examples."""
    placed = sorted(itertools.chain.from_iterable(batches), key=operator.itemgetter(0))
    return ShardKey(*key), [spec_from_plain(plain[1:]) for plain in placed]


def placed_to_plain(placed: PlacedExample) -> tuple[Any, ...]:
    """The rank, and what `spec_to_plain` makes of the rest."""
    return (placed.rank, *spec_to_plain(placed.spec))


def size_of_placed(placed: PlacedExample) -> int:
    """Estimates what an example takes in a batch, in bytes."""
    return size_of_spec(placed.spec)


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
        every_shard: list[tuple[tuple[str, int], Batch]] = [
            ((split, number), []) for split in self.splits for number in range(self.layout.num_shards)
        ]
        # Beam has a deterministic coder for plain tuples only, so ShardKey is not named here.
        shard_type = tuple[tuple[str, int], Batch]
        placed = (
            examples
            | "PlaceExample" >> beam.Map(place_example, beam.pvalue.AsSingleton(self.sizes), self.layout)
            | "BatchPlaced" >> beam.ParDo(IntoBatches(placed_to_plain, size_of_placed)).with_output_types(shard_type)
        )
        empty = examples.pipeline | "EveryShard" >> beam.Create(every_shard, reshuffle=False).with_output_types(
            shard_type
        )
        return (
            (placed, empty)
            | "WithEveryShard" >> beam.Flatten()
            | "GroupByShard" >> beam.GroupByKey()
            # (ShardKey, [Batch of PlacedExample])
            | "InOrder" >> beam.MapTuple(in_order)
        )
