"""Reads the group of each image from a CSV file of its own."""

from __future__ import annotations

import dataclasses

import apache_beam as beam

from maskmill.transforms.annotations.image_values import ValueColumn, read_values
from maskmill.transforms.annotations.records import ImageKey
from maskmill.transforms.limits import MAX_NAME_BYTES


def parse_group(field: str) -> str:
    """Returns the group that a field names.

    Raises:
        ValueError: it is empty, or too long.
    """
    if not 0 < len(field.encode()) <= MAX_NAME_BYTES:
        raise ValueError(f"it must have from 1 to {MAX_NAME_BYTES} bytes")
    return field


GROUPS = ValueColumn(("group",), "group", parse_group)


@dataclasses.dataclass(kw_only=True, eq=False)
class ReadGroups(beam.PTransform):
    """Reads a file of groups.

    Attributes:
        path: of the file; see `image_values.parse_values`.
        image_suffix: see `file_named`.
        folders: number of tuples in `ListImages.folders`; the file counts for the images of all of them.
    """

    path: str
    image_suffix: str
    folders: int

    def expand(self, pipeline: beam.Pipeline) -> beam.PCollection[tuple[ImageKey, str]]:
        return (
            pipeline
            | "File" >> beam.Create([self.path], reshuffle=False)
            | "ReadFile"
            >> beam.FlatMap(read_values, GROUPS, self.image_suffix, self.folders).with_output_types(
                tuple[ImageKey, str]
            )
        )
