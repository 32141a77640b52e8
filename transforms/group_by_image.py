"""Rows and image files to annotated images."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterable
from typing import Any, NamedTuple

import apache_beam as beam

from transforms.element_size import MAX_ELEMENT_BYTES
from transforms.example import ImageFile
from transforms.list_images import FileStatus
from transforms.paths import join
from transforms.read_annotations import AnnotationRow, ImageKey
from transforms.rejected import Code, Rejected
from transforms.rle import unpack_runs

# What a row takes besides its runs and the path of its file.
ROW_BYTES = 100


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
    kept, rejected = [], []
    for group in _by_class(rows):
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


def refuse_large(image_id: str, rows: Iterable[AnnotationRow]) -> tuple[list[AnnotationRow], list[Rejected]]:
    """Takes out the rows of a class that are together too large for a shuffle, as which they are one example.

    Args:
        image_id: of the image.
        rows: all rows of the image, in the order of source, file and line.

    Returns:
        the other rows in the same order, and a record for each class that is refused.
    """
    kept, rejected = [], []
    for group in _by_class(rows):
        size = sum(len(row.mask.runs) + len(row.mask.line.path.encode()) + ROW_BYTES for row in group)
        if size > MAX_ELEMENT_BYTES:
            message = (
                f"the {len(group)} rows of the image and class take {size} bytes together when they are packed, of "
                f"which {MAX_ELEMENT_BYTES} are accepted; unite runs that touch or overlap"
            )
            line = group[0].mask.line
            rejected.append(Rejected(line, image_id, group[0].class_id, Code.RLE_TOO_LONG.value, message, len(group)))
        else:
            kept += group
    return sorted(kept), rejected


def _by_class(rows: Iterable[AnnotationRow]) -> Iterable[list[AnnotationRow]]:
    """The rows of each example."""
    groups: dict[tuple[int, int], list[AnnotationRow]] = defaultdict(list)
    for row in rows:
        groups[row.source, row.class_id].append(row)
    return groups.values()


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
        rows, large = refuse_large(image_id, rows)
        for rejected in contradictions + large:
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
