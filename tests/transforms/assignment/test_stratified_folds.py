"""Tests of strata by sets of classes, and of the folds that they are cut into."""

from __future__ import annotations

import random
from collections import Counter

import apache_beam as beam
import pytest
from apache_beam.testing.util import assert_that, equal_to
from hypothesis import given
from hypothesis import strategies as st

from maskmill.transforms.assignment.assign_stratified import AssignStratified
from maskmill.transforms.assignment.image_hash import hash_image
from maskmill.transforms.assignment.splits import SelectedExample, Selection, SplitRule, SplitSize
from maskmill.transforms.assignment.stratified_folds import cut_sets, set_block, set_of_stratum, stratum_of_set
from maskmill.transforms.examples.label import MAX_CLASSES
from tests.support.builders import in_process
from tests.support.records import a_spec, listed, unlisted

ALL = Selection(0, (1, 3))
FOLDS = tuple(SplitRule(f"fold_{index}", ALL, index / 3, (index + 1) / 3) for index in range(3))


@given(st.sets(st.integers(1, MAX_CLASSES)))
def test_the_number_of_a_stratum_tells_its_classes_in_64_bits(class_ids: set[int]) -> None:
    assert set_of_stratum(stratum_of_set(class_ids)) == tuple(sorted(class_ids))
    assert -(2**63) <= stratum_of_set(class_ids) < 2**63


def test_the_block_of_an_example_is_that_of_its_hash_among_those_of_its_classes() -> None:
    block = hash_image("a.jpg", "salt").split * 4 // 2**64
    selected = listed(a_spec("a.jpg", classes=(3, 1)), selection=2)
    assert set_block(selected, "salt", 4) == (2, stratum_of_set((1, 3)), 0, block)


def test_strata_are_cut_one_fold_after_the_other() -> None:
    cut = cut_sets(FOLDS, {stratum_of_set(()): 7, stratum_of_set((3,)): 5})
    assert cut == {stratum_of_set(()): [(0, 2), (2, 4), (4, 7)], stratum_of_set((3,)): [(0, 2), (2, 4), (4, 5)]}
    assert cut_sets(FOLDS, {}) == {}


def examples() -> list[SelectedExample]:
    """Of class 1, of class 3, of both, of class 64, and without a defect."""
    kinds = {"a": (1,), "b": (3,), "c": (1, 3), "d": (MAX_CLASSES,)}
    found = [listed(a_spec(f"{kind}{number}", classes=kinds[kind])) for kind in kinds for number in range(7)]
    return [*found, *(unlisted(f"n{number}") for number in range(10))]


@pytest.mark.parametrize("partitions", [1, 5])
def test_folds_are_equal_in_every_class_and_the_same_whatever_the_order(partitions: int) -> None:
    shuffled = examples()
    random.Random(partitions).shuffle(shuffled)
    folds = dict(zip(("fold_0", "fold_1", "fold_2"), expected(), strict=True))
    with in_process() as pipeline:
        assign = AssignStratified(rules=FOLDS, salt="salt", partitions=partitions, folds=True)
        assigned = pipeline | beam.Create(shuffled) | assign
        places = assigned.examples | beam.Map(lambda one: (one.split, one.spec.image_id))
        assert_that(places, equal_to([(fold, name) for fold in folds for name in folds[fold]]), "places")
        sizes = {fold: SplitSize(len(names), 38) for fold, names in folds.items()}
        assert_that(assigned.sizes, equal_to([sizes]), "sizes")


def expected() -> list[list[str]]:
    """The folds as one loop makes them: each stratum in the order of its hashes, cut where the deal says."""
    strata: dict[int, list[str]] = {}
    for one in examples():
        strata.setdefault(stratum_of_set(one.spec.class_ids), []).append(one.spec.image_id)
    folds: list[list[str]] = [[], [], []]
    for stratum, bounds in cut_sets(FOLDS, {stratum: len(names) for stratum, names in strata.items()}).items():
        names = sorted(strata[stratum], key=lambda name: hash_image(name, "salt").split)
        for fold, (start, stop) in zip(folds, bounds, strict=True):
            fold += names[start:stop]
    kinds = [Counter(kind for name in fold for kind in ("ac" if name[0] == "c" else name[0])) for fold in folds]
    for kind in "abcdn":
        assert max(of_fold[kind] for of_fold in kinds) - min(of_fold[kind] for of_fold in kinds) <= 1
    assert max(map(len, folds)) - min(map(len, folds)) <= 1
    return folds
