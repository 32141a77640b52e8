"""Lists the files of image folders."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
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


def number_folders(folders: Iterable[Iterable[str]]) -> Iterator[tuple[int, int, str]]:
    """Yields every folder of `ListImages.folders`, after its two indices there."""
    for index, together in enumerate(folders):
        for place, folder in enumerate(together):
            yield index, place, folder


def list_images(index: int, place: int, folder: str) -> Iterator[Any]:
    """Yields the outputs of `ListImages` for a folder; see `number_folders`."""
    unnameable = 0
    for info in list_folder(folder, every_name=True):
        if is_utf8(name := info.name):
            yield (index, name), (info.size, info.modified, place)
        else:
            unnameable += 1
    if unnameable:
        yield beam.pvalue.TaggedOutput("tallies", (UNNAMEABLE_FILES, unnameable))


@dataclasses.dataclass(kw_only=True, eq=False)
class ListImages(beam.PTransform):
    """Lists each image folder once, so that missing images are found before any is opened.

    Attributes:
        folders: paths of the folders that hold the images of a source; an `ImageKey` holds the index of such a tuple.
    """

    folders: tuple[tuple[str, ...], ...]

    def expand(self, pipeline: beam.Pipeline) -> ListedImages:
        outputs = (
            pipeline
            | "Folders" >> beam.Create(list(number_folders(self.folders)), reshuffle=False)
            | "ListFolder"
            >> beam.FlatMapTuple(list_images)
            .with_outputs("tallies", main="files")
            .with_output_types(tuple[ImageKey, FileStatus])
        )
        return ListedImages(outputs.files, outputs.tallies)
