"""Examples with positions to shards of examples, in order."""

from __future__ import annotations

import dataclasses
import operator
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import apache_beam as beam

from maskmill.transforms.assignment.shard_layout import ShardLayout
from maskmill.transforms.assignment.splits import SplitExample, SplitSize
from maskmill.transforms.batches import Batch, IntoBatches, pack, unpack
from maskmill.transforms.examples.spec import ExampleSpec, size_of_spec, spec_from_plain, spec_to_plain
from maskmill.transforms.shards.records import ShardKey, ShardKeyType


class PlacedExample(NamedTuple):
    """An example with the rank that it has in its shard."""

    rank: int
    spec: ExampleSpec


def fit_layouts(
    sizes: Mapping[str, SplitSize], layout: ShardLayout, example_bytes: Mapping[str, int]
) -> dict[str, ShardLayout]:
    """Finds the layouts of the splits.

    Args:
        sizes: of the splits.
        layout: of the shards of all.
        example_bytes: about what an example of a split takes in a shard.
    """
    return {split: layout.fitted(size.examples, example_bytes[split]) for split, size in sizes.items()}


def every_shard(layouts: Mapping[str, ShardLayout]) -> Iterator[tuple[ShardKeyType, Batch]]:
    """All shards, without examples."""
    for split, layout in layouts.items():
        for number in range(layout.num_shards):
            yield (split, number, layout.file_name(number)), pack([])


def place_example(
    example: SplitExample, sizes: Mapping[str, SplitSize], layouts: Mapping[str, ShardLayout]
) -> tuple[ShardKeyType, PlacedExample]:
    """Finds an example's shard.

    Args:
        example: with its position.
        sizes: of the splits.
        layouts: of the splits.
    """
    layout = layouts[example.split]
    number, rank = layout.place(example.position, sizes[example.split].examples)
    return (example.split, number, layout.file_name(number)), PlacedExample(rank, example.spec)


def in_order(key: ShardKeyType, batches: Iterable[Batch]) -> tuple[ShardKey, list[ExampleSpec]]:
    """Sorts a shard's examples by their rank; hashes that are the same are told by the ImageId."""
    placed = sorted(unpack(batches), key=operator.itemgetter(0, 1))
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
        sizes: one element, {split: SplitSize}.
        example_bytes: about what an example of a split takes in a shard.
    """

    layout: ShardLayout
    sizes: beam.PCollection[dict[str, SplitSize]]
    example_bytes: Mapping[str, int]

    def expand(self, examples: beam.PCollection[SplitExample]) -> beam.PCollection[tuple[ShardKey, list[ExampleSpec]]]:
        layouts = self.sizes | "FitLayouts" >> beam.Map(fit_layouts, self.layout, self.example_bytes)
        sizes_and_layouts = beam.pvalue.AsSingleton(self.sizes), beam.pvalue.AsSingleton(layouts)
        shard_type = tuple[ShardKeyType, Batch]
        placed = (
            examples
            | "PlaceExample" >> beam.Map(place_example, *sizes_and_layouts)
            | "BatchPlaced" >> beam.ParDo(IntoBatches(placed_to_plain, size_of_placed)).with_output_types(shard_type)
        )
        empty = layouts | "EveryShard" >> beam.FlatMap(every_shard).with_output_types(shard_type)
        return (
            (placed, empty)
            | "WithEveryShard" >> beam.Flatten()
            | "GroupByShard" >> beam.GroupByKey()
            # (ShardKey, [Batch of PlacedExample])
            | "InOrder" >> beam.MapTuple(in_order)
        )
