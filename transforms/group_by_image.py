"""Rows and image files to annotated images."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any, NamedTuple

import apache_beam as beam

from transforms.example import ImageFile
from transforms.files import join
from transforms.list_images import FileStatus
from transforms.read_annotations import AnnotationRow, ImageKey
from transforms.rejected import Code, Rejected


class AnnotatedImage(NamedTuple):
    """All rows of one image, with what the listing says of its file.

    Attributes:
        image_id: file name.
        image: the file.
        rows: in the order of source, file and line.
    """

    image_id: str
    image: ImageFile
    rows: tuple[AnnotationRow, ...]


class GroupedImages(NamedTuple):
    """What `GroupByImage` gives: the images that have both rows and a file, and those whose file is missing."""

    images: beam.PCollection[AnnotatedImage]
    rejected: beam.PCollection[Rejected]


class JoinRowsToFile(beam.DoFn):
    """Makes an annotated image, or a rejected one; a file without rows makes none."""

    def __init__(self, folders: tuple[str, ...]) -> None:
        self.folders = folders

    def process(self, element: tuple[ImageKey, dict[str, Iterable[Any]]]) -> Iterable[Any]:
        """Yields at most one annotated or rejected image."""
        (folder, image_id), joined = element
        rows = sorted(joined["rows"])
        if not rows:
            return
        if files := list(joined["files"]):
            yield AnnotatedImage(image_id, ImageFile(join(self.folders[folder], image_id), *files[0]), tuple(rows))
        else:
            message = f"{image_id} is not in {self.folders[folder]}; add the image, or remove its rows"
            missing = Rejected(rows[0].mask.line, image_id, None, Code.IMAGE_MISSING.value, message, len(rows))
            yield beam.pvalue.TaggedOutput("rejected", missing)


@dataclasses.dataclass(kw_only=True, eq=False)
class GroupByImage(beam.PTransform):
    """Groups rows by ImageId, together with the listing of the image folders.

    Attributes:
        files: the listing.
        folders: paths of the image folders.
    """

    files: beam.PCollection[tuple[ImageKey, FileStatus]]
    folders: tuple[str, ...]

    def expand(self, rows: beam.PCollection[tuple[ImageKey, AnnotationRow]]) -> GroupedImages:
        outputs = (
            {"rows": rows, "files": self.files}
            | "JoinByImage" >> beam.CoGroupByKey()
            # (ImageKey, {"rows": [AnnotationRow], "files": [FileStatus]})
            | "JoinRowsToFile"
            >> beam.ParDo(JoinRowsToFile(self.folders))
            .with_outputs("rejected", main="images")
            .with_output_types(AnnotatedImage)
        )
        return GroupedImages(outputs.images, outputs.rejected)
