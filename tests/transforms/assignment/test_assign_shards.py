"""Tests of the assignment of examples to shards."""

from __future__ import annotations

import apache_beam as beam
from apache_beam.testing.util import assert_that, equal_to

from maskmill.transforms.assignment.assign_shards import (
    PLACED_CODEC,
    AssignShards,
    PlacedExample,
    every_shard,
    fit_layouts,
    place_example,
    sort_examples,
)
from maskmill.transforms.assignment.shard_layout import ShardLayout
from maskmill.transforms.assignment.splits import SplitExample, SplitSize
from maskmill.transforms.codec import unpack
from maskmill.transforms.shards.records import ShardKey
from tests.support.builders import in_process
from tests.support.records import a_spec

EXAMPLE_BYTES = {"train_input": 100, "eval_input": 100}
LAYOUT = ShardLayout("d", 3, 1)


def test_the_layout_of_a_split_fits_its_size() -> None:
    sizes = {"train_input": SplitSize(40, 50), "eval_input": SplitSize(10, 50)}
    layouts = fit_layouts(sizes, LAYOUT._replace(max_shard_bytes=1000), {"train_input": 100, "eval_input": 500})
    assert {split: layout.num_shards for split, layout in layouts.items()} == {"train_input": 4, "eval_input": 5}


def test_every_shard_is_there_with_an_empty_batch() -> None:
    shards = list(
        every_shard({"train_input": LAYOUT._replace(num_output_files=2), "eval_input": ShardLayout("d", 1, 1)})
    )
    assert [key for key, _ in shards] == [
        ("train_input", 0, "d-0_p0.h5"),
        ("train_input", 1, "d-1_p0.h5"),
        ("eval_input", 0, "d-0_p0.h5"),
    ]
    assert list(unpack((batch for _, batch in shards), PLACED_CODEC)) == []


def test_an_example_is_placed_by_the_layout_of_its_split() -> None:
    spec, sizes = a_spec("a.jpg"), {"train_input": SplitSize(5, 5), "eval_input": SplitSize(5, 5)}
    # Of the two ranges of eval_input, position 4 is the last of three in the second.
    layouts = {"train_input": LAYOUT, "eval_input": ShardLayout("d", 2, num_processes=2)}
    placed = [place_example(SplitExample(split, 4, spec), sizes, layouts) for split in layouts]
    assert placed == [
        (("train_input", 1, "d-1_p0.h5"), PlacedExample(1, spec)),
        (("eval_input", 1, "d-1_p1.h5"), PlacedExample(2, spec)),
    ]


def test_examples_survive_a_batch() -> None:
    placed = [PlacedExample(2**64 - 1, a_spec("a.jpg", group="coil 7")), PlacedExample(0, a_spec("b.jpg"))]
    assert list(unpack([PLACED_CODEC.pack(placed)], PLACED_CODEC)) == placed


def test_examples_of_the_same_rank_are_sorted_by_their_image() -> None:
    placed = [PlacedExample(rank, a_spec(name)) for rank, name in ((7, "b"), (7, "a"), (3, "c"))]
    batches = [PLACED_CODEC.pack(placed[:2]), PLACED_CODEC.pack(placed[2:])]
    key, specs = sort_examples(("train_input", 0, "d-0_p0.h5"), batches)
    assert isinstance(key, ShardKey)
    assert [spec.image_id for spec in specs] == ["c", "a", "b"]


def test_assign_shards_makes_every_shard_with_its_examples_in_order() -> None:
    examples = [SplitExample("train_input", position, a_spec(str(position))) for position in (4, 0, 3, 1, 2)]
    with in_process() as pipeline:
        sizes = pipeline | "Sizes" >> beam.Create([{"train_input": SplitSize(5, 5), "eval_input": SplitSize(0, 5)}])
        shards = (
            pipeline
            | "Examples" >> beam.Create(examples)
            | AssignShards(layout=LAYOUT, sizes=sizes, image_bytes=EXAMPLE_BYTES)
            | beam.MapTuple(lambda key, specs: (tuple(key), [one.image_id for one in specs]))
        )
        expected = [("train_input", 0, "03"), ("train_input", 1, "14"), ("train_input", 2, "2")]
        expected += [("eval_input", number, "") for number in range(3)]
        keyed = [((split, number, f"d-{number}_p0.h5"), list(ids)) for split, number, ids in expected]
        assert_that(shards, equal_to(keyed))
