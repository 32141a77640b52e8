"""Tests of what becomes of examples none of whose crops is wanted."""

from __future__ import annotations

import apache_beam as beam
import pytest
from apache_beam.testing.util import assert_that, equal_to

from maskmill.transforms.assignment.drop_without_crops import DropWithoutCrops, has_crops
from maskmill.transforms.assignment.splits import SelectedExample
from maskmill.transforms.examples.crops import CropFormat
from maskmill.transforms.tallies import NO_CROP
from tests.support.builders import in_process
from tests.support.records import a_spec, listed, unlisted
from tests.support.shards import FORM, spec_of

# Two crops, which do not reach the last column.
CUT = FORM._replace(crops=CropFormat((16, 10), (16, 10), "drop", 0.0, (16, 24)))


@pytest.mark.parametrize(
    ("runs", "empty", "expected"),
    [
        ("1 2", 0.0, True),
        ("384 1", 0.0, False),  # in no crop
        ("384 1", 1.0, True),
        ("384 2", 0.0, True),  # past the image: it is rejected where the image is read
    ],
)
def test_an_image_has_crops_if_one_is_wanted_or_its_runs_do_not_fit(runs: str, empty: float, expected: bool) -> None:
    assert CUT.crops is not None
    form = CUT._replace(crops=CUT.crops._replace(empty=empty))
    assert has_crops(spec_of("a.jpg", runs=runs), form) == expected
    assert has_crops(a_spec("b.jpg", classes=()), form) == (empty == 1)


def test_what_is_dropped_is_counted_by_its_rows() -> None:
    kept = listed(spec_of("a.jpg"))
    outside = listed(spec_of("b.jpg", runs="384 1", rows=2))
    in_another_split = SelectedExample(1, 0, outside.spec._replace(counted_rows=0))
    with in_process() as pipeline:
        examples = pipeline | beam.Create([kept, outside, in_another_split, unlisted("c.jpg")])
        cut = examples | DropWithoutCrops(form=CUT)
        assert_that(cut.examples, equal_to([kept]), label="examples")
        assert_that(cut.tallies, equal_to([(NO_CROP, 2)]), label="tallies")
