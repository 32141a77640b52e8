"""Tests of the assignment by position in the CSV."""

from __future__ import annotations

import functools

import apache_beam as beam
import pytest
from apache_beam.testing.util import assert_that, equal_to
from hypothesis import given
from hypothesis import strategies as st

from maskmill.transforms.assignment.assign_by_position import (
    LISTED,
    UNLISTED,
    AssignByPosition,
    assign_by_position,
    csv_block,
    cut_by_share,
    cut_into_folds,
)
from maskmill.transforms.assignment.image_hash import hash_image
from maskmill.transforms.assignment.ranks import BlockKey, cut_each, offsets_of
from maskmill.transforms.assignment.splits import Selection, SplitRule, SplitSize
from maskmill.transforms.examples.spec import ExampleSpec
from tests.support.builders import in_process
from tests.support.records import a_spec, listed, unlisted

ALL = Selection(0, (3,))
TRAIN, EVAL = SplitRule("train_input", ALL, 0, 0.5), SplitRule("eval_input", ALL, 0.5, 1)


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3), st.integers(0, 50)), unique=True, max_size=60))
def test_positions_are_those_of_a_plain_loop_over_the_files(places: list[tuple[int, int, int]]) -> None:
    blocks: dict[BlockKey, list[ExampleSpec]] = {}
    for file_index, block, line in places:
        spec = a_spec(f"{file_index}-{block}-{line}", line, block=block)
        blocks.setdefault(BlockKey(0, LISTED, file_index, block), []).append(spec)
    everything = SplitRule("all", ALL, 0, 1)
    cut = functools.partial(cut_each, cut=cut_by_share)
    offsets = offsets_of([(key, len(specs)) for key, specs in blocks.items()], [everything], cut)
    found = {}
    for key, specs in blocks.items():
        for spec, in_splits in assign_by_position(key, specs, offsets, [everything]):
            found[spec.image_id] = in_splits[0].position
    assert found == {f"{f}-{b}-{n}": position for position, (f, b, n) in enumerate(sorted(places))}


@pytest.mark.parametrize(
    ("share", "examples", "train", "rest"),
    [(0.8, 33, 26, 7), (0.0, 5, 0, 5), (1.0, 5, 5, 0), (0.85, 0, 0, 0), (0.29, 100, 28, 72)],
)
def test_the_cut_is_rounded_down_as_the_original_does(share: float, examples: int, train: int, rest: int) -> None:
    rules = [TRAIN._replace(stop=share), EVAL._replace(start=share)]
    assert cut_by_share(rules, examples) == [(0, train), (train, train + rest)]


@given(st.integers(2, 100), st.integers(0, 10**6))
def test_folds_are_consecutive_and_equal_within_one(folds: int, examples: int) -> None:
    rules = [SplitRule(str(index), ALL, index / folds, (index + 1) / folds) for index in range(folds)]
    bounds = cut_into_folds(rules, examples)
    assert [start for start, _ in bounds] == [0, *(stop for _, stop in bounds[:-1])]
    assert bounds[-1][1] == examples
    sizes = {stop - start for start, stop in bounds}
    assert max(sizes) - min(sizes) <= 1


def test_an_example_is_in_the_block_of_its_first_row() -> None:
    assert csv_block(listed(a_spec("a.jpg", block=512), selection=2, file_index=1), "", 4) == (2, LISTED, 1, 512)


def test_an_example_without_rows_is_in_a_block_of_hashes() -> None:
    block = hash_image("a.jpg", "salt").place * 4 // 2**64
    assert csv_block(unlisted("a.jpg", selection=2), "salt", 4) == (2, UNLISTED, 0, block)


def test_positions_sizes_and_rows_that_no_split_takes() -> None:
    examples = [listed(a_spec(str(line), line, block=line // 4)) for line in range(10)]
    rules = (TRAIN._replace(stop=0.3), EVAL._replace(start=0.8))
    with in_process() as pipeline:
        assigned = pipeline | beam.Create(examples) | AssignByPosition(rules=rules)
        positions = assigned.examples | beam.Map(lambda one: (one.split, one.position, one.spec.image_id))
        expected = [("train_input", k, str(k)) for k in range(3)] + [("eval_input", k - 8, str(k)) for k in (8, 9)]
        assert_that(positions, equal_to(expected), "positions")
        sizes = {"train_input": SplitSize(3, 10), "eval_input": SplitSize(2, 10)}
        assert_that(assigned.sizes, equal_to([sizes]), "sizes")
        sums = assigned.tallies | "Sums" >> beam.CombinePerKey(sum)
        assert_that(sums, equal_to([("filtered: in no split", 5)]), "tallies")


@pytest.mark.parametrize("partitions", [1, 3])
def test_images_without_rows_follow_in_the_order_of_their_hashes(partitions: int) -> None:
    names = [f"u{number}" for number in range(8)]
    by_hash = sorted(names, key=lambda name: hash_image(name, "salt").place)
    examples = [listed(a_spec(f"r{line}", line)) for line in range(4)] + [unlisted(name) for name in names]
    with in_process() as pipeline:
        assign = AssignByPosition(rules=(TRAIN, EVAL), salt="salt", partitions=partitions)
        assigned = pipeline | beam.Create(examples) | assign
        positions = assigned.examples | beam.Map(lambda one: (one.split, one.position, one.spec.image_id))
        train, rest = ["r0", "r1", *by_hash[:4]], ["r2", "r3", *by_hash[4:]]
        expected = [("train_input", k, name) for k, name in enumerate(train)]
        expected += [("eval_input", k, name) for k, name in enumerate(rest)]
        assert_that(positions, equal_to(expected))
