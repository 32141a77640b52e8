"""Image folders to image files."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import apache_beam as beam

from maskmill.transforms.annotations.records import FileStatus, ImageKey
from maskmill.transforms.files.find_files import list_folder


def list_images(numbered_folder: tuple[int, str]) -> Iterator[tuple[ImageKey, FileStatus]]:
    """Files of an image folder, by their names.

    Args:
        numbered_folder: index of the folder, and its path.
    """
    number, folder = numbered_folder
    for info in list_folder(folder):
        yield (number, info.name), (info.size, info.modified)


@dataclasses.dataclass(kw_only=True, eq=False)
class ListImages(beam.PTransform):
    """Lists image folders, each once, so that a missing image is known before any is opened.

    Attributes:
        folders: paths.
    """

    folders: tuple[str, ...]

    def expand(self, pipeline: beam.Pipeline) -> beam.PCollection[tuple[ImageKey, FileStatus]]:
        return (
            pipeline
            | "Folders" >> beam.Create(list(enumerate(self.folders)), reshuffle=False)
            | "ListFolder" >> beam.FlatMap(list_images).with_output_types(tuple[ImageKey, FileStatus])
        )
