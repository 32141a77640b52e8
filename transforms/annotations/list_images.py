"""Lists the files of image folders."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import apache_beam as beam

from maskmill.transforms.annotations.records import FileStatus, ImageKey
from maskmill.transforms.files.find_files import list_folder


def list_images(numbered_folder: tuple[int, str]) -> Iterator[tuple[ImageKey, FileStatus]]:
    """Yields the files of a folder, given with its index."""
    index, folder = numbered_folder
    for info in list_folder(folder):
        yield (index, info.name), (info.size, info.modified)


@dataclasses.dataclass(kw_only=True, eq=False)
class ListImages(beam.PTransform):
    """Lists each image folder once, so that missing images are found before any is opened.

    Attributes:
        folders: paths; an `ImageKey` holds the index of one.
    """

    folders: tuple[str, ...]

    def expand(self, pipeline: beam.Pipeline) -> beam.PCollection[tuple[ImageKey, FileStatus]]:
        return (
            pipeline
            | "Folders" >> beam.Create(list(enumerate(self.folders)), reshuffle=False)
            | "ListFolder" >> beam.FlatMap(list_images).with_output_types(tuple[ImageKey, FileStatus])
        )
