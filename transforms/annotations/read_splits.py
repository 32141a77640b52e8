"""Reads the split of each image from a CSV file of its own."""

from __future__ import annotations

import dataclasses
import re

import apache_beam as beam

from maskmill.names import fold_name, is_split_name
from maskmill.transforms.annotations.image_values import ValueColumn, read_values
from maskmill.transforms.annotations.records import ImageKey

# A fold, by its number: as pandas writes it in a column with empty fields, too.
_FOLD = re.compile(r"(?:fold[ _-]?)?([0-9]{1,6})(?:\.0*)?", re.ASCII | re.IGNORECASE)
_SUFFIX = "_input"


def parse_split(field: str) -> str:
    """Returns the name of the split that a field names: `fold_3` for 3, `train_input` for train.

    Raises:
        ValueError: it names none.
    """
    if fold := _FOLD.fullmatch(field):
        return fold_name(int(fold[1]))
    name = field if field.endswith(_SUFFIX) else f"{field}{_SUFFIX}"
    if not is_split_name(name):
        raise ValueError(
            "it must be the name of a section, such as train_input or train, or the number of a fold; an image that is "
            "to be in no split has no line"
        )
    return name


SPLITS = ValueColumn(("split", "fold"), "split", parse_split)


@dataclasses.dataclass(kw_only=True, eq=False)
class ReadSplits(beam.PTransform):
    """Reads a file of splits.

    Attributes:
        path: of the file; see `image_values.parse_values`.
        image_suffix: see `file_named`.
        folders: number of image folders; the file counts for the images of all of them.
    """

    path: str
    image_suffix: str
    folders: int

    def expand(self, pipeline: beam.Pipeline) -> beam.PCollection[tuple[ImageKey, str]]:
        return (
            pipeline
            | "File" >> beam.Create([self.path], reshuffle=False)
            | "ReadFile"
            >> beam.FlatMap(read_values, SPLITS, self.image_suffix, self.folders).with_output_types(
                tuple[ImageKey, str]
            )
        )
