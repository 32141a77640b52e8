"""Tests of the assignment by a hash of the ImageId."""

from __future__ import annotations

import apache_beam as beam
import pytest
from apache_beam.testing.util import assert_that, equal_to

from maskmill.transforms.assignment.assign_by_hash import (
    AssignByHash,
    assign_by_hash,
    count_by_hash,
    includes_hash,
    split_hash,
    sum_sizes,
)
from maskmill.transforms.assignment.image_hash import hash_image
from maskmill.transforms.assignment.splits import Selection, SplitRule, SplitSize
from maskmill.transforms.examples.spec import SPEC_CODEC
from tests.support.builders import in_process
from tests.support.records import a_spec, listed, unlisted

ALL = Selection(0, (3,))
TRAIN, EVAL = SplitRule("train_input", ALL, 0, 0.75), SplitRule("eval_input", ALL, 0.75, 1)
# By their hashes without salt, all but a.jpg are in train_input.
NAMES = ("a.jpg", "b.jpg", "c.jpg", "d.jpg")


@pytest.mark.parametrize("share", [0.0, 0.25, 0.75, 1.0])
def test_a_split_takes_its_share_and_the_other_the_rest(share: float) -> None:
    hashes = [hash_image(f"{index}.jpg", "").split for index in range(4000)]
    train = [includes_hash(TRAIN._replace(stop=share), image) for image in hashes]
    assert train == [not includes_hash(EVAL._replace(start=share), image) for image in hashes]
    assert abs(sum(train) / len(train) - share) < 0.03


def test_a_group_decides_the_split_and_the_image_its_place() -> None:
    one, other = a_spec("a.jpg", group="coil 7"), a_spec("b.jpg", group="coil 7")
    assert split_hash(one, "x") == split_hash(other, "x") == hash_image("coil 7", "x").split
    assert split_hash(a_spec("a.jpg"), "x") == hash_image("a.jpg", "x").split
    rule = SplitRule("all", ALL, 0, 1)
    places = [in_splits[0].position for _, in_splits in assign_by_hash(0, [one, other], [rule], "x")]
    assert places == [hash_image("a.jpg", "x").place, hash_image("b.jpg", "x").place]


def test_a_batch_adds_to_the_splits_of_its_selection() -> None:
    other = SplitRule("other_input", Selection(0, (4,)), 0, 1)
    packed = SPEC_CODEC.pack([a_spec(name) for name in NAMES])
    sizes = {"train_input": SplitSize(3, 4), "eval_input": SplitSize(1, 4)}
    assert count_by_hash((0, packed), [TRAIN, EVAL, other], "") == sizes


def test_sizes_of_batches_are_summed_and_every_split_has_one() -> None:
    parts = [{"train_input": SplitSize(2, 3)}, {"train_input": SplitSize(1, 4)}]
    assert sum_sizes(parts, [TRAIN, EVAL]) == {"train_input": SplitSize(3, 7), "eval_input": SplitSize(0, 0)}
    assert sum_sizes([], [TRAIN]) == {"train_input": SplitSize(0, 0)}


def test_places_sizes_and_rows_that_no_split_takes() -> None:
    names = [f"{number}.jpg" for number in range(40)]
    rules = (TRAIN._replace(stop=0.5), EVAL)
    hashes = {name: hash_image(name, "7") for name in names}
    train = [name for name in names if hashes[name].split < 2**63]
    rest = [name for name in names if hashes[name].split >= 2**63 + 2**62]
    assert (len(train), len(rest)) == (13, 12)
    examples = [listed(a_spec(name, line)) for line, name in enumerate(names[:-1])] + [unlisted(names[-1])]
    with in_process() as pipeline:
        assigned = pipeline | beam.Create(examples) | AssignByHash(rules=rules, salt="7")
        places = assigned.examples | beam.Map(lambda one: (one.split, one.position, one.spec.image_id))
        expected = [("train_input", hashes[name].place, name) for name in train]
        expected += [("eval_input", hashes[name].place, name) for name in rest]
        assert_that(places, equal_to(expected), "places")
        sizes = {"train_input": SplitSize(len(train), 40), "eval_input": SplitSize(len(rest), 40)}
        assert_that(assigned.sizes, equal_to([sizes]), "sizes")
        sums = assigned.tallies | "Sums" >> beam.CombinePerKey(sum)
        unused = set(names[:-1]).difference(train, rest)
        assert_that(sums, equal_to([("filtered: in no split", len(unused))]), "tallies")


def test_splits_without_examples_have_sizes() -> None:
    with in_process() as pipeline:
        assigned = pipeline | beam.Create([]) | AssignByHash(rules=(TRAIN, EVAL))
        sizes = {"train_input": SplitSize(0, 0), "eval_input": SplitSize(0, 0)}
        assert_that(assigned.sizes, equal_to([sizes]))
