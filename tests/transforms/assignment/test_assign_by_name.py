"""Tests of the assignment by name, for images without labels."""

from __future__ import annotations

import functools

import apache_beam as beam
import pytest
from apache_beam.testing.util import assert_that, equal_to
from hypothesis import given
from hypothesis import strategies as st

from maskmill.transforms.assignment.assign_by_name import (
    AssignByName,
    assign_by_name,
    hash_and_name,
    name_block,
    name_bounds,
)
from maskmill.transforms.assignment.assign_by_position import cut_by_share
from maskmill.transforms.assignment.ranks import BlockKey, cut_each, offsets_of
from maskmill.transforms.assignment.splits import SelectedExample, Selection, SplitRule, SplitSize
from tests.support.builders import in_process
from tests.support.records import unlisted

ALL = SplitRule("eval_input", Selection(0, (3,)), 0, 1)
NAMES = ["10.jpg", "9.jpg", "a.jpg", "B.jpg", "Köln.jpg", "b1.jpg", "b10.jpg", "b2.jpg", "\U0001f600.jpg", "\uffff.jpg"]


@given(st.sets(st.text(max_size=3), max_size=40), st.integers(1, 50))
def test_positions_are_those_of_the_sorted_names_however_they_are_divided_into_blocks(
    names: set[str], partitions: int
) -> None:
    selected = [unlisted(name) for name in names]
    bounds = name_bounds(sorted(map(hash_and_name, selected))[:partitions])
    blocks: dict[BlockKey, list[SelectedExample]] = {}
    for one in selected:
        blocks.setdefault(BlockKey(*name_block(one, bounds)), []).append(one)
    assert len(blocks) >= min(len(names), partitions)
    counts = [(key, len(examples)) for key, examples in blocks.items()]
    offsets = offsets_of(counts, [ALL], functools.partial(cut_each, cut=cut_by_share))
    found = {
        spec.image_id: in_splits[0].position
        for key, examples in blocks.items()
        for spec, in_splits in assign_by_name(key, [one.spec for one in examples], offsets, [ALL])
    }
    assert found == {name: position for position, name in enumerate(sorted(names))}


@pytest.mark.parametrize("partitions", [1, 4, 64])
def test_each_split_has_its_share_of_the_names_in_order(partitions: int) -> None:
    rules = (SplitRule("one_input", ALL.selection, 0, 0.3), SplitRule("two_input", ALL.selection, 0.3, 1))
    with in_process() as pipeline:
        examples = pipeline | beam.Create([unlisted(name) for name in NAMES])
        assigned = examples | AssignByName(rules=rules, partitions=partitions)
        found = assigned.examples | beam.Map(lambda one: (one.split, one.position, one.spec.image_id))
        ordered = sorted(NAMES)
        expected = [("one_input", place, name) for place, name in enumerate(ordered[:3])]
        expected += [("two_input", place, name) for place, name in enumerate(ordered[3:])]
        assert_that(found, equal_to(expected), "examples")
        sizes = {"one_input": SplitSize(3, 10), "two_input": SplitSize(7, 10)}
        assert_that(assigned.sizes, equal_to([sizes]), "sizes")


def test_without_images_the_splits_are_empty() -> None:
    with in_process() as pipeline:
        examples = pipeline | beam.Create([]).with_output_types(SelectedExample)
        assigned = examples | AssignByName(rules=(ALL,))
        assert_that(assigned.sizes, equal_to([{"eval_input": SplitSize(0, 0)}]), "sizes")
