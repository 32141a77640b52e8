"""Annotated images to examples, grouped by the block of the CSV that their first row is in."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import apache_beam as beam

from transforms.batches import Batch, IntoBatches
from transforms.example import ExampleSpec, size_of_spec, spec_to_plain
from transforms.group_by_image import AnnotatedImage
from transforms.splits import Selection, SplitRule


class BlockKey(NamedTuple):
    """The examples of a selection whose first row is in one block of a CSV file: rank of the file, block's start."""

    source: int
    class_id: int
    rank: int
    start: int

    @property
    def selection(self) -> Selection:
        """The selection."""
        return Selection(self.source, self.class_id)


# Beam has a deterministic coder for plain tuples only.
BlockKeyType = tuple[int, int, int, int]


def select_examples(image: AnnotatedImage, selections: Iterable[Selection]) -> Iterator[tuple[BlockKey, ExampleSpec]]:
    """Makes an example of the rows of each selection; several rows of an image and class are one example.

    Yields:
        the block of the example's first row, and the example.
    """
    for selection in selections:
        rows = [row for row in image.rows if (row.source, row.class_id) == selection]
        if rows:
            masks = tuple(row.mask for row in rows)
            spec = ExampleSpec(image.image_id, selection.class_id, image.image, masks, len(rows))
            yield BlockKey(*selection, rows[0].rank, masks[0].line.block), spec


@dataclasses.dataclass(kw_only=True, eq=False)
class SelectExamples(beam.PTransform):
    """Makes examples of annotated images.

    Attributes:
        rules: of the splits that the examples are for.
    """

    rules: tuple[SplitRule, ...]

    def expand(
        self, images: beam.PCollection[AnnotatedImage]
    ) -> beam.PCollection[tuple[BlockKeyType, Iterable[Batch]]]:
        selections = sorted({rule.selection for rule in self.rules})
        return (
            images
            | "SelectExamples" >> beam.FlatMap(select_examples, selections)
            | "BatchExamples"
            >> beam.ParDo(IntoBatches(spec_to_plain, size_of_spec)).with_output_types(tuple[BlockKeyType, Batch])
            | "GroupByBlock" >> beam.GroupByKey()
        )  # (BlockKey, [Batch of ExampleSpec])
