"""Tests of what assignment strategies share."""

from __future__ import annotations

from apache_beam.pvalue import TaggedOutput

from maskmill.transforms.assignment.assign_examples import assign_to_splits, split_outputs
from maskmill.transforms.assignment.splits import Selection, SplitExample, SplitRule
from tests.support.records import a_spec

ALL = Selection(0, (3,))
TRAIN, EVAL = SplitRule("train_input", ALL, 0, 1), SplitRule("eval_input", ALL, 0, 1)
SPEC = a_spec("a.jpg", classes=(3, 3))


def test_the_rows_of_an_example_in_two_splits_are_counted_once() -> None:
    spec, in_splits = assign_to_splits(SPEC, [(TRAIN, 5), (EVAL, 7)])
    assert spec == SPEC
    assert in_splits == [
        SplitExample("train_input", 5, SPEC),
        SplitExample("eval_input", 7, SPEC._replace(counted_rows=0)),
    ]


def test_an_example_may_be_in_no_split() -> None:
    assert assign_to_splits(SPEC, []) == (SPEC, [])


def test_rows_that_no_split_takes_are_tallied() -> None:
    assigned = [assign_to_splits(SPEC, [(TRAIN, 0)]), assign_to_splits(SPEC, []), assign_to_splits(SPEC, [])]
    example, tally = split_outputs(assigned)
    assert example == SplitExample("train_input", 0, SPEC)
    assert isinstance(tally, TaggedOutput)
    assert (tally.tag, tally.value) == ("tallies", ("filtered: in no split", 4))
