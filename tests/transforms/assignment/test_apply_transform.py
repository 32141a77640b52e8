"""Somebody else's transform on the selected examples."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import apache_beam as beam
import pytest
from apache_beam.testing.util import assert_that, equal_to

from maskmill.transforms.annotations.records import REJECTED_RUNS, ImageFile, MaskRow
from maskmill.transforms.assignment.apply_transform import (
    SELECTED_CODEC,
    ApplyTransform,
    TransformError,
    check_transformed,
    key_of,
)
from maskmill.transforms.assignment.splits import SelectedExample, Selection
from maskmill.transforms.examples.rle import EMPTY_RUNS
from maskmill.transforms.examples.spec import ExampleSpec
from maskmill.transforms.rejected import Line
from maskmill.transforms.tallies import DROPPED
from tests.support.builders import in_process

SELECTIONS = [Selection(0, (3, 4)), Selection(0, (3,))]


def row(line: int, class_id: int = 3) -> MaskRow:
    return MaskRow(Line("a.csv", 0, line), class_id, b"runs")


def example(name: str, rows: int = 2, selection: int = 0) -> SelectedExample:
    image = ImageFile(f"images/{name}", 10, 1.0)
    spec = ExampleSpec(name, image, tuple(row(line) for line in range(rows)), rows)
    return SelectedExample(selection, 0 if rows else None, spec)


A, B, NEGATIVE = example("a.jpg"), example("b.jpg", 3), example("n.jpg", 0)
GIVEN = {key_of(one): one for one in (A, B, NEGATIVE, example("a.jpg", selection=1))}


def changed(one: SelectedExample, **changes: Any) -> SelectedExample:
    return one._replace(spec=one.spec._replace(**changes))


@pytest.mark.parametrize(
    "after",
    [
        [],
        [A, B, NEGATIVE],
        [example("a.jpg", selection=1), A],
        [changed(A, group="a group")],
        [changed(B, rows=B.spec.rows[1:], counted_rows=2)],
        [changed(B, rows=(B.spec.rows[0], B.spec.rows[2]))],
        [changed(A, rows=(row(0, 4), row(1)._replace(runs=EMPTY_RUNS)))],
    ],
)
def test_examples_may_be_dropped_and_their_rows_dropped_and_changed(after: list[SelectedExample]) -> None:
    assert list(check_transformed(GIVEN, after, SELECTIONS)) == after


@pytest.mark.parametrize(
    ("after", "words"),
    [
        ([example("c.jpg")], "c.jpg: the transform gives an example that it was not given"),
        ([changed(A, image=ImageFile("other/a.jpg", 10, 1.0))], "gives an example that it was not given"),
        ([changed(A, image=A.spec.image._replace(size=11))], "gives an example that it was not given"),
        ([A._replace(selection=7)], "gives an example that it was not given"),
        ([A, B, A], "a.jpg: the transform gives the example twice"),
        ([changed(A, rows=(*A.spec.rows, row(9)))], "adds a row"),
        ([changed(A, rows=(A.spec.rows[0],) * 2)], "adds a row"),
        ([changed(A, rows=A.spec.rows[::-1])], "changes the order of its rows"),
        ([A._replace(file_index=1)], "adds a row"),
        ([changed(A, rows=())], "leaves the example without rows, and should drop it"),
        ([changed(A, counted_rows=3)], "counts 3 rows in the example, which had 2"),
        ([changed(A, counted_rows=-1)], "counts -1 rows"),
        ([changed(A, rows=(row(0, 5), row(1)))], "not of a class of the split"),
        ([changed(A, rows=(row(0), row(1)._replace(runs=REJECTED_RUNS)))], "has no runs"),
    ],
)
def test_what_would_lose_or_double_a_row_is_refused(after: list[SelectedExample], words: str) -> None:
    with pytest.raises(TransformError) as caught:
        list(check_transformed(GIVEN, after, SELECTIONS))
    assert words in str(caught.value)


def test_an_example_is_the_same_after_the_shuffle() -> None:
    given = [A, NEGATIVE, changed(B, group="g")]
    assert [SELECTED_CODEC.from_plain(SELECTED_CODEC.to_plain(one)) for one in given] == given


def keep_a(one: SelectedExample) -> bool:
    return one.spec.image_id == "a.jpg"


class Twice(beam.PTransform):
    def expand(self, examples: Any) -> Any:
        return examples, examples


def apply(transform: beam.PTransform, check: Callable[[Any], None]) -> None:
    with in_process() as pipeline:
        given = pipeline | beam.Create([A, B, NEGATIVE]).with_output_types(SelectedExample)
        check(given | ApplyTransform(transform=transform, selections=SELECTIONS, partitions=4))


def test_rows_of_dropped_examples_are_counted() -> None:
    def check(outputs: Any) -> None:
        assert_that(outputs.examples, equal_to([A]))
        total = outputs.tallies | beam.CombinePerKey(sum)
        assert_that(total, equal_to([(DROPPED, 3)]), label="tallies")

    apply(beam.Filter(keep_a), check)


@pytest.mark.parametrize(
    ("transform", "words"),
    [
        (Twice(), "the transform gives tuple, not a PCollection"),
        (beam.Map(lambda one: one.spec), "the transform gives ExampleSpec, not SelectedExample"),
        (beam.Map(lambda _: None), "the transform gives NoneType, not SelectedExample"),
        (beam.FlatMap(lambda one: [one, one]), "gives the example twice"),
    ],
)
def test_a_transform_that_gives_something_else_is_refused(transform: beam.PTransform, words: str) -> None:
    with pytest.raises(Exception, match=words):
        apply(transform, lambda _: None)
