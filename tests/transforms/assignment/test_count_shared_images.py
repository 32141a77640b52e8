"""Tests of the count of images that several splits use."""

from __future__ import annotations

import apache_beam as beam
import pytest
from apache_beam.testing.util import assert_that, equal_to

from maskmill.transforms.assignment.count_shared_images import CountSharedImages, may_share_images
from maskmill.transforms.assignment.splits import Selection, SplitExample, SplitRule
from maskmill.transforms.tallies import SHARED_IMAGES
from tests.support.builders import in_process
from tests.support.records import a_spec

ALL = Selection(0, (3,))
TRAIN, EVAL = SplitRule("train_input", ALL, 0, 0.5), SplitRule("eval_input", ALL, 0.5, 1)


def test_images_in_more_than_one_split_are_counted() -> None:
    examples = [
        SplitExample(split, 0, a_spec(name))
        for split, name in [("train", "a"), ("eval", "a"), ("train", "b"), ("train", "b"), ("eval", "c")]
    ]
    with in_process() as pipeline:
        tallies = pipeline | beam.Create(examples) | CountSharedImages() | beam.CombinePerKey(sum)
        assert_that(tallies, equal_to([(SHARED_IMAGES, 1)]))


@pytest.mark.parametrize(
    ("rules", "may"),
    [
        ([TRAIN], False),
        ([TRAIN, EVAL], False),
        ([TRAIN, EVAL._replace(start=0.4)], True),
        ([TRAIN, EVAL._replace(selection=Selection(0, (4,)))], True),
        ([TRAIN, EVAL._replace(selection=Selection(1, (3,)))], True),
        # A file gives each image its split.
        (
            [
                TRAIN._replace(selection=Selection(0, (3,), "train_input"), stop=1),
                EVAL._replace(selection=Selection(0, (4,), "eval_input"), start=0),
            ],
            False,
        ),
    ],
)
def test_disjoint_parts_of_one_selection_cannot_share_images(rules: list[SplitRule], may: bool) -> None:
    assert may_share_images(rules) is may
