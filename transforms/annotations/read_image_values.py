"""Reads the group or the split of each image from a CSV file of its own."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import apache_beam as beam

from maskmill.transforms.annotations.image_values import ValueColumn, parse_values
from maskmill.transforms.annotations.records import ImageKey
from maskmill.transforms.files.read_write import read_bytes


def read_values(path: str, column: ValueColumn, image_suffix: str, folders: int) -> Iterator[tuple[ImageKey, str]]:
    """Yields the values of a file for the images of each folder."""
    for name, value in parse_values(read_bytes(path), path, column, image_suffix).items():
        for folder in range(folders):
            yield (folder, name), value


@dataclasses.dataclass(kw_only=True, eq=False)
class ReadImageValues(beam.PTransform):
    """Reads a file with a value for each image.

    Attributes:
        path: of the file; see `image_values.parse_values`.
        column: of the values.
        image_suffix: see `file_named`.
        folders: number of tuples in `ListImages.folders`; the file counts for the images of all of them.
    """

    path: str
    column: ValueColumn
    image_suffix: str
    folders: int

    def expand(self, pipeline: beam.Pipeline) -> beam.PCollection[tuple[ImageKey, str]]:
        return (
            pipeline
            | "File" >> beam.Create([self.path], reshuffle=False)
            | "ReadFile"
            >> beam.FlatMap(read_values, self.column, self.image_suffix, self.folders).with_output_types(
                tuple[ImageKey, str]
            )
        )
