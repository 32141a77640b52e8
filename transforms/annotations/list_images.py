"""Lists the files of image folders."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any, NamedTuple

import apache_beam as beam

from maskmill.names import is_utf8
from maskmill.transforms.annotations.records import FileStatus, ImageKey
from maskmill.transforms.files.find_files import list_folder
from maskmill.transforms.tallies import UNNAMEABLE_FILES


class ListedImages(NamedTuple):
    """The outputs of `ListImages`.

    Attributes:
        files: size and time of each file that a row can name.
        tallies: (name, files).
    """

    files: beam.PCollection[tuple[ImageKey, FileStatus]]
    tallies: beam.PCollection[tuple[str, int]]


def list_images(numbered_folder: tuple[int, str]) -> Iterator[Any]:
    """Yields the outputs of `ListImages` for a folder, given with its index."""
    index, folder = numbered_folder
    unnameable = 0
    for info in list_folder(folder, every_name=True):
        if is_utf8(name := info.name):
            yield (index, name), (info.size, info.modified)
        else:
            unnameable += 1
    if unnameable:
        yield beam.pvalue.TaggedOutput("tallies", (UNNAMEABLE_FILES, unnameable))


@dataclasses.dataclass(kw_only=True, eq=False)
class ListImages(beam.PTransform):
    """Lists each image folder once, so that missing images are found before any is opened.

    Attributes:
        folders: paths; an `ImageKey` holds the index of one.
    """

    folders: tuple[str, ...]

    def expand(self, pipeline: beam.Pipeline) -> ListedImages:
        outputs = (
            pipeline
            | "Folders" >> beam.Create(list(enumerate(self.folders)), reshuffle=False)
            | "ListFolder"
            >> beam.FlatMap(list_images)
            .with_outputs("tallies", main="files")
            .with_output_types(tuple[ImageKey, FileStatus])
        )
        return ListedImages(outputs.files, outputs.tallies)
