"""Image folders to image files."""

from __future__ import annotations

import dataclasses
import posixpath
from collections.abc import Iterator

import apache_beam as beam

from transforms.example import ImageFile
from transforms.files import list_folder
from transforms.read_annotations import ImageKey


def list_images(numbered_folder: tuple[int, str]) -> Iterator[tuple[ImageKey, ImageFile]]:
    """Files of an image folder, by their names.

    Args:
        numbered_folder: index of the folder, and its path.
    """
    number, folder = numbered_folder
    for info in list_folder(folder):
        name = posixpath.basename(info.path.replace("\\", "/"))
        yield (number, name), ImageFile(*info)


@dataclasses.dataclass(kw_only=True, eq=False)
class ListImages(beam.PTransform):
    """Lists image folders, each once, so that a missing image is known before any is opened.

    Attributes:
        folders: paths.
    """

    folders: tuple[str, ...]

    def expand(self, pipeline: beam.Pipeline) -> beam.PCollection[tuple[ImageKey, ImageFile]]:
        return (
            pipeline
            | "Folders" >> beam.Create(list(enumerate(self.folders)), reshuffle=False)
            | "ListFolder" >> beam.FlatMap(list_images).with_output_types(tuple[ImageKey, ImageFile])
        )
