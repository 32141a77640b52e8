"""Rows and image files to annotated images."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterable
from typing import Any, NamedTuple

import apache_beam as beam

from transforms.example import ImageFile
from transforms.files import join
from transforms.list_images import FileStatus
from transforms.read_annotations import AnnotationRow, ImageKey
from transforms.rejected import Code, Rejected
from transforms.rle import unpack_runs


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


def settle_contradictions(image_id: str, rows: Iterable[AnnotationRow]) -> tuple[list[AnnotationRow], list[Rejected]]:
    """Takes out the rows of a class that say both that the image has no defect of it, by `-1`, and where it has one.

    Args:
        image_id: of the image.
        rows: all rows of the image, in the order of source, file and line.

    Returns:
        the rows without those, in the same order, and a record for each class that contradicts itself.
    """
    groups: dict[tuple[int, int], list[AnnotationRow]] = defaultdict(list)
    for row in rows:
        groups[row.source, row.class_id].append(row)
    kept, rejected = [], []
    for group in groups.values():
        if later := _contradicting_row(group):
            message = (
                f"{len(group)} rows of the image and class say both that there is no defect (-1) and where it is; "
                "remove those that are wrong"
            )
            code = Code.ROWS_CONTRADICT.value
            rejected.append(Rejected(later.mask.line, image_id, later.class_id, code, message, len(group)))
        else:
            kept += group
    return sorted(kept), rejected


def _contradicting_row(rows: list[AnnotationRow]) -> AnnotationRow | None:
    """The first row whose mask is empty where that of the first is not, or the other way round."""
    if len(rows) == 1:
        return None
    empty = [not len(unpack_runs(row.mask.runs)) for row in rows]
    return rows[empty.index(not empty[0])] if len(set(empty)) > 1 else None


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
        if not (files := list(joined["files"])):
            message = f"there is no file {image_id} in {self.folders[folder]}; add the image, or remove its rows"
            missing = Rejected(rows[0].mask.line, image_id, None, Code.IMAGE_MISSING.value, message, len(rows))
            yield beam.pvalue.TaggedOutput("rejected", missing)
            return
        rows, contradictions = settle_contradictions(image_id, rows)
        for rejected in contradictions:
            yield beam.pvalue.TaggedOutput("rejected", rejected)
        if rows:
            yield AnnotatedImage(image_id, ImageFile(join(self.folders[folder], image_id), *files[0]), tuple(rows))


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
