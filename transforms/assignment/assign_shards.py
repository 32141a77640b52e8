"""Assigns the examples of splits to shards, in order."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import apache_beam as beam

from maskmill.transforms.assignment.shard_layout import ShardLayout
from maskmill.transforms.assignment.splits import SplitExample, SplitSize
from maskmill.transforms.batches import IntoBatches
from maskmill.transforms.codec import Codec, PackedBatch, Plain, unpack
from maskmill.transforms.examples.spec import SPEC_CODEC, ExampleSpec
from maskmill.transforms.shards.records import ShardKey, ShardKeyType


class PlacedExample(NamedTuple):
    """An example in a shard.

    Attributes:
        rank: orders the examples of the shard; see `ShardLayout.place`.
        spec: the example.
    """

    rank: int
    spec: ExampleSpec


def _placed_to_plain(placed: PlacedExample) -> Plain:
    return (placed.rank, *SPEC_CODEC.to_plain(placed.spec))


def _placed_from_plain(plain: Plain) -> PlacedExample:
    return PlacedExample(plain[0], SPEC_CODEC.from_plain(plain[1:]))


def _size_of_placed(placed: PlacedExample) -> int:
    return SPEC_CODEC.size_of(placed.spec)


PLACED_CODEC = Codec(_placed_to_plain, _placed_from_plain, _size_of_placed)


def fit_layouts(
    sizes: Mapping[str, SplitSize], layout: ShardLayout, image_bytes: Mapping[str, int]
) -> dict[str, ShardLayout]:
    """Fits the layout of each split to its size.

    Args:
        sizes: by split.
        layout: as asked for.
        image_bytes: estimated bytes of the examples of an image in a shard, by split.
    """
    return {split: layout.fitted(size.examples, image_bytes[split]) for split, size in sizes.items()}


def every_shard(layouts: Mapping[str, ShardLayout]) -> Iterator[tuple[ShardKeyType, PackedBatch]]:
    """Yields every shard with an empty batch."""
    for split, layout in layouts.items():
        for number in range(layout.num_shards):
            yield (split, number, layout.file_name(number)), PLACED_CODEC.pack([])


def place_example(
    example: SplitExample, sizes: Mapping[str, SplitSize], layouts: Mapping[str, ShardLayout]
) -> tuple[ShardKeyType, PlacedExample]:
    """Finds the shard of an example, given the size and layout of each split."""
    layout = layouts[example.split]
    number, rank = layout.place(example.position, sizes[example.split].examples)
    return (example.split, number, layout.file_name(number)), PlacedExample(rank, example.spec)


def sort_examples(key: ShardKeyType, batches: Iterable[PackedBatch]) -> tuple[ShardKey, list[ExampleSpec]]:
    """Sorts a shard's examples by rank; examples with the same hash by ImageId."""
    placed = sorted(unpack(batches, PLACED_CODEC), key=lambda one: (one.rank, one.spec.image_id))
    return ShardKey(*key), [one.spec for one in placed]


@dataclasses.dataclass(kw_only=True, eq=False)
class AssignShards(beam.PTransform):
    """Assigns examples to shards. Shards without examples are in the output, too.

    Attributes:
        layout: as asked for; it is fitted to the size of each split.
        sizes: one element, {split: SplitSize}.
        image_bytes: estimated bytes of the examples of an image in a shard, by split.
    """

    layout: ShardLayout
    sizes: beam.PCollection[dict[str, SplitSize]]
    image_bytes: Mapping[str, int]

    def expand(self, examples: beam.PCollection[SplitExample]) -> beam.PCollection[tuple[ShardKey, list[ExampleSpec]]]:
        layouts = self.sizes | "FitLayouts" >> beam.Map(fit_layouts, self.layout, self.image_bytes)
        sizes_and_layouts = beam.pvalue.AsSingleton(self.sizes), beam.pvalue.AsSingleton(layouts)
        shard_type = tuple[ShardKeyType, PackedBatch]
        placed = (
            examples
            | "PlaceExample" >> beam.Map(place_example, *sizes_and_layouts)
            | "BatchPlaced" >> beam.ParDo(IntoBatches(PLACED_CODEC)).with_output_types(shard_type)
        )
        empty = layouts | "EveryShard" >> beam.FlatMap(every_shard).with_output_types(shard_type)
        return (
            (placed, empty)
            | "WithEveryShard" >> beam.Flatten()
            | "GroupByShard" >> beam.GroupByKey()
            # (ShardKey, [PackedBatch of PlacedExample])
            | "SortExamples" >> beam.MapTuple(sort_examples)
        )
