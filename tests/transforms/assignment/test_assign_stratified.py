"""Tests of the assignment that gives each split its share of every class."""

from __future__ import annotations

import itertools

import apache_beam as beam
import pytest
from apache_beam.testing.util import assert_that, equal_to
from hypothesis import given
from hypothesis import strategies as st

from maskmill.transforms.assignment.assign_stratified import (
    NO_DEFECT_STRATUM,
    AssignStratified,
    classes_of,
    cut_stratum,
    stratum_block,
    stratum_of,
)
from maskmill.transforms.assignment.image_hash import hash_image
from maskmill.transforms.assignment.splits import Selection, SplitRule, SplitSize
from tests.support.builders import in_process
from tests.support.records import a_spec, listed, unlisted

ALL = Selection(0, (1, 3))
TRAIN, EVAL = SplitRule("train_input", ALL, 0, 0.5), SplitRule("eval_input", ALL, 0.5, 1)
# Of selection 2; in another one, class 3 is rarer.
COUNTS = {(2, 1): 5, (2, 3): 50, (2, 4): 5, (0, 3): 1}


def rules(*shares: float) -> list[SplitRule]:
    """Splits side by side."""
    stops = list(itertools.accumulate(shares))
    bounds = zip([0.0, *stops], stops, strict=False)
    return [SplitRule(str(stop), ALL, start, stop) for start, stop in bounds]


def test_an_example_counts_for_each_of_its_classes() -> None:
    assert list(classes_of(listed(a_spec("a.jpg", classes=(4, 1, 4)), selection=2))) == [(2, 1), (2, 4)]
    assert list(classes_of(unlisted("a.jpg"))) == []


@pytest.mark.parametrize(
    ("classes", "stratum"), [((3,), 3), ((3, 1), 1), ((4, 3), 4), ((4, 1), 1), ((), NO_DEFECT_STRATUM)]
)
def test_the_stratum_of_an_example_is_its_rarest_class(classes: tuple[int, ...], stratum: int) -> None:
    assert stratum_of(listed(a_spec("a.jpg", classes=classes), selection=2), COUNTS) == stratum


def test_the_block_of_an_example_is_that_of_its_hash_in_its_stratum() -> None:
    block = hash_image("a.jpg", "salt").split * 4 // 2**64
    selected = listed(a_spec("a.jpg", classes=(3, 1)), selection=2)
    assert stratum_block(selected, COUNTS, "salt", 4) == (2, 1, 0, block)


@pytest.mark.parametrize(
    ("shares", "examples", "bounds"),
    [
        ((0.5, 0.5), 10, [(0, 5), (5, 10)]),
        ((0.9, 0.1), 3, [(0, 2), (2, 3)]),
        ((0.1, 0.9), 3, [(0, 1), (1, 3)]),
        ((0.9, 0.1), 1, [(0, 1), (1, 1)]),
        ((0.7, 0.2, 0.1), 10, [(0, 7), (7, 9), (9, 10)]),
        ((0.25, 0.25), 4, [(0, 1), (1, 2)]),
        ((0.5, 0.5), 0, [(0, 0), (0, 0)]),
    ],
)
def test_a_stratum_is_cut(shares: tuple[float, ...], examples: int, bounds: list[tuple[int, int]]) -> None:
    assert cut_stratum(rules(*shares), examples) == bounds


@given(st.lists(st.sampled_from([0.125, 0.25, 0.5]), min_size=1, max_size=4), st.integers(0, 300))
def test_a_stratum_is_cut_to_the_share_and_each_split_has_some_where_there_are_enough(
    shares: list[float], examples: int
) -> None:
    while sum(shares) > 1:
        shares = shares[1:]
    bounds = cut_stratum(rules(*shares), examples)
    taken = [stop - start for start, stop in bounds]
    assert [start for start, _ in bounds] == [0, *(stop for _, stop in bounds[:-1])]
    assert bounds[-1][1] <= examples
    assert all(abs(count - share * examples) <= len(shares) for count, share in zip(taken, shares, strict=True))
    if examples >= len(shares):
        assert min(taken) >= 1


@pytest.mark.parametrize("partitions", [1, 3])
def test_each_class_and_the_negatives_are_cut_in_the_order_of_their_hashes(partitions: int) -> None:
    rare, usual, negative = ([f"{kind}{number}" for number in range(6)] for kind in "run")
    # The examples of the rarer class have the other one, too.
    examples = [listed(a_spec(name, line, classes=(1, 3))) for line, name in enumerate(rare)]
    examples += [listed(a_spec(name, line)) for line, name in enumerate(usual, 10)]
    examples += [unlisted(name) for name in negative]
    expected = []
    for stratum in (rare, usual, negative):
        by_hash = sorted(stratum, key=lambda name: hash_image(name, "salt").split)
        expected += [("train_input", hash_image(name, "salt").place, name) for name in by_hash[:2]]
        expected += [("eval_input", hash_image(name, "salt").place, name) for name in by_hash[3:]]
    with in_process() as pipeline:
        assign = AssignStratified(rules=(TRAIN._replace(stop=1 / 3), EVAL), salt="salt", partitions=partitions)
        assigned = pipeline | beam.Create(examples) | assign
        places = assigned.examples | beam.Map(lambda one: (one.split, one.position, one.spec.image_id))
        assert_that(places, equal_to(expected), "places")
        sizes = {"train_input": SplitSize(6, 18), "eval_input": SplitSize(9, 18)}
        assert_that(assigned.sizes, equal_to([sizes]), "sizes")
        sums = assigned.tallies | "Sums" >> beam.CombinePerKey(sum)
        assert_that(sums, equal_to([("filtered: in no split", 2 + 1)]), "tallies")
