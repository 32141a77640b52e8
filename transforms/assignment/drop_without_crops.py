"""Drops the examples of images none of whose crops is wanted."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any, NamedTuple

import apache_beam as beam

from maskmill.transforms.assignment.splits import SelectedExample
from maskmill.transforms.examples.crops import kept_crops
from maskmill.transforms.examples.rle import are_inside, unpack_runs
from maskmill.transforms.examples.spec import ExampleFormat, ExampleSpec
from maskmill.transforms.tallies import NO_CROP


class CutExamples(NamedTuple):
    """The outputs of `DropWithoutCrops`: the examples that are left, and tallies, (name, rows)."""

    examples: beam.PCollection[SelectedExample]
    tallies: beam.PCollection[tuple[str, int]]


def has_crops(spec: ExampleSpec, form: ExampleFormat) -> bool:
    """Returns whether an image becomes any crop, or has to be looked at because its runs do not fit its size."""
    assert form.crops is not None
    if form.crops.empty >= 1 or kept_crops(spec, form.crops, by_rows=form.by_rows):
        return True
    return not all(are_inside(unpack_runs(row.runs), *form.crops.source) for row in spec.rows)


class DropWithoutCrop(beam.DoFn):
    """Drops an example without crops."""

    def __init__(self, form: ExampleFormat) -> None:
        self.form = form

    def process(self, selected: SelectedExample) -> Iterable[Any]:
        """Yields the example or, tagged "tallies", the number of its rows."""
        if has_crops(selected.spec, self.form):
            yield selected
        elif rows := selected.spec.counted_rows:
            yield beam.pvalue.TaggedOutput("tallies", (NO_CROP, rows))


@dataclasses.dataclass(kw_only=True, eq=False)
class DropWithoutCrops(beam.PTransform):
    """Drops the examples of images none of whose crops is wanted.

    Attributes:
        form: of the examples, with `crops`.
    """

    form: ExampleFormat

    def expand(self, selected: beam.PCollection[SelectedExample]) -> CutExamples:
        outputs = selected | "DropWithoutCrop" >> beam.ParDo(DropWithoutCrop(self.form)).with_outputs(
            "tallies", main="examples"
        ).with_output_types(SelectedExample)
        return CutExamples(outputs.examples, outputs.tallies)
