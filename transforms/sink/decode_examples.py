"""Decodes examples into arrays."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any, NamedTuple

import apache_beam as beam
import numpy as np

from maskmill.transforms.examples.make_crops import make_crops
from maskmill.transforms.examples.make_example import ExampleArrays, make_example
from maskmill.transforms.examples.spec import ExampleFormat, ExampleSpec
from maskmill.transforms.files.read_write import read_bytes
from maskmill.transforms.rejected import DataError, Rejected
from maskmill.transforms.shards.records import RejectedExample
from maskmill.transforms.sink.prepare_examples import rejected_by


class DecodedExamples(NamedTuple):
    """The outputs of `DecodeExamples`: the examples, each with its ImageId, and the rejected rows and images."""

    examples: beam.PCollection[tuple[str, ExampleArrays]]
    rejected: beam.PCollection[Rejected]


def reject(spec: ExampleSpec, why: RejectedExample) -> Rejected:
    """Names the row, or the image, because of which an example cannot be made."""
    row = None if why.row is None else spec.rows[why.row]
    return Rejected(
        source=spec.image.path if row is None else row.line,
        image_id=spec.image_id,
        class_id=None if row is None else row.class_id,
        code=why.code,
        message=why.message,
        rows=spec.counted_rows,
    )


class DecodeExample(beam.DoFn):
    """Decodes the examples of one image."""

    def __init__(self, form: ExampleFormat) -> None:
        self.form = form

    def process(self, spec: ExampleSpec) -> Iterable[Any]:
        """Yields the examples, or says why the image is rejected."""
        try:
            made = _make(spec, read_bytes(spec.image.path), self.form)
        except DataError as error:
            yield beam.pvalue.TaggedOutput("rejected", reject(spec, rejected_by(error)))
        else:
            yield from ((spec.image_id, one) for one in made)


def _make(spec: ExampleSpec, data: bytes, form: ExampleFormat) -> list[ExampleArrays]:
    if form.crops is None:
        return [make_example(spec, data, form)]
    crops = make_crops(spec, data, form)
    empty = np.zeros(form.size, form.label.mask_dtype)
    return [ExampleArrays(crop.pixels, form.label.label(empty if crop.mask is None else crop.mask)) for crop in crops]


@dataclasses.dataclass(kw_only=True, eq=False)
class DecodeExamples(beam.PTransform):
    """Decodes, resizes and labels examples, for pipelines that want a PCollection of them.

    `WriteShards` does the same with the same functions while it writes a shard, so that pixels never cross a shuffle.

    Attributes:
        form: of the examples.
    """

    form: ExampleFormat

    def expand(self, specs: beam.PCollection[ExampleSpec]) -> DecodedExamples:
        outputs = specs | "DecodeExample" >> beam.ParDo(DecodeExample(self.form)).with_outputs(
            "rejected", main="examples"
        ).with_output_types(tuple[str, ExampleArrays])
        return DecodedExamples(outputs.examples, outputs.rejected)
