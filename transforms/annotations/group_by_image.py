"""Rows and image files to annotated images.

The images are grouped in two steps: rows and files by partition, a number that is made of the ImageId, in batches; then
those of a partition by ImageId, in memory.
"""

from __future__ import annotations

import dataclasses
import functools
import sys
import zlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import apache_beam as beam

from maskmill.transforms.annotations.csv_blocks import CsvFile, is_compressed
from maskmill.transforms.annotations.records import (
    REJECTED_RUNS,
    AnnotatedImage,
    AnnotationRow,
    FileStatus,
    ImageFile,
    ImageKey,
    MaskRow,
)
from maskmill.transforms.batches import Batch, IntoBatches, unpack
from maskmill.transforms.examples.image import is_image_name
from maskmill.transforms.examples.rle import EMPTY_RUNS
from maskmill.transforms.files.paths import join
from maskmill.transforms.rejected import Code, Line, Rejected

# What a row takes besides its runs and the path of its file.
ROW_BYTES = 100
# How much of the CSV is in memory as one partition, some ten times as large there.
PARTITION_BYTES = 2**22
# How many times as large a compressed CSV is when it is read, at a guess.
DEFLATED = 5
# For as many workers there is something to do, however small the CSV is.
MIN_PARTITIONS = 64
ANNOTATED_IMAGES = "annotated images"


class GroupedImages(NamedTuple):
    """What `GroupByImage` gives.

    Attributes:
        images: those that have both rows and a file.
        rejected: those whose file is missing, and rows that contradict each other.
        tallies: (what, images), to be summed.
    """

    images: beam.PCollection[AnnotatedImage]
    rejected: beam.PCollection[Rejected]
    tallies: beam.PCollection[tuple[str, int]]


def settle_contradictions(image_id: str, rows: Iterable[AnnotationRow]) -> tuple[list[AnnotationRow], list[Rejected]]:
    """Takes out the rows of a class that say both that the image has no defect of it, by `-1`, and where it has one.

    Args:
        image_id: of the image.
        rows: all rows of the image, in the order of source, file and line.

    Returns:
        the rows without those, in the same order, and a record for each class that contradicts itself. Of each such
        class one row is left without its runs, by which it is known as rejected.
    """
    kept, rejected = [], []
    for group in _by_class(rows):
        if later := _contradicting_row(group):
            kept.append(group[0]._replace(mask=group[0].mask._replace(runs=REJECTED_RUNS)))
            message = (
                f"{len(group)} rows of the image and class say both that there is no defect (-1) and where it is; "
                "remove those that are wrong"
            )
            code = Code.ROWS_CONTRADICT.value
            rejected.append(Rejected(later.mask.line, image_id, later.mask.class_id, code, message, len(group)))
        else:
            kept += group
    return sorted(kept), rejected


def _by_class(rows: Iterable[AnnotationRow]) -> Iterable[list[AnnotationRow]]:
    """The rows of each source and class, those that are rejected by themselves."""
    groups: dict[tuple[int, int, bool], list[AnnotationRow]] = defaultdict(list)
    for row in rows:
        groups[row.source, row.mask.class_id, row.mask.runs == REJECTED_RUNS].append(row)
    return groups.values()


def _contradicting_row(rows: list[AnnotationRow]) -> AnnotationRow | None:
    """The first row whose mask is empty where that of the first is not, or the other way round."""
    if len(rows) == 1:
        return None
    empty = [row.mask.runs == EMPTY_RUNS for row in rows]
    return rows[empty.index(not empty[0])] if len(set(empty)) > 1 else None


def partitions_for(files: Iterable[CsvFile]) -> int:
    """Number of partitions for the rows of CSV files."""
    text = sum(file.size * (DEFLATED if is_compressed(file.path) else 1) for file in files)
    return max(MIN_PARTITIONS, -(-text // PARTITION_BYTES))


def partition_of(pair: tuple[ImageKey, Any], partitions: int) -> int:
    """Number of the partition of what belongs to an image."""
    folder, image_id = pair[0]
    return zlib.crc32(image_id.encode(), folder) % partitions


def row_to_plain(pair: tuple[ImageKey, AnnotationRow]) -> tuple[Any, ...]:
    """A row behind its image, without the names of its parts."""
    source, rank, (line, class_id, runs), group = pair[1]
    return (*pair[0], source, rank, sys.intern(line.path), line.block, line.line, class_id, runs, group)


def row_from_plain(plain: tuple[Any, ...]) -> tuple[ImageKey, AnnotationRow]:
    """Inverse of `row_to_plain`."""
    folder, image_id, source, rank, path, block, line, class_id, runs, group = plain
    mask = MaskRow(Line(path, block, line), class_id, runs)
    return (folder, image_id), AnnotationRow(source, rank, mask, group)


def file_to_plain(pair: tuple[ImageKey, FileStatus]) -> tuple[Any, ...]:
    """A file behind its image."""
    return (*pair[0], *pair[1])


def size_of_row(pair: tuple[ImageKey, AnnotationRow]) -> int:
    """Estimates what a row takes in a batch, in bytes."""
    return len(pair[0][1]) + len(pair[1].mask.runs) + len(pair[1].group) + ROW_BYTES


def size_of_file(pair: tuple[ImageKey, FileStatus]) -> int:
    """Estimates what a file takes in a batch, in bytes."""
    return len(pair[0][1]) + 30


class JoinRowsToFiles(beam.DoFn):
    """Makes the annotated images of a partition, or rejected ones.

    Args:
        folders: paths of the image folders.
        unlisted: sources that want the images of a folder also without rows, by the index of the folder.
    """

    def __init__(self, folders: tuple[str, ...], unlisted: Mapping[int, tuple[int, ...]]) -> None:
        self.folders = folders
        self.unlisted = unlisted

    def process(self, element: tuple[int, dict[str, Iterable[Batch]]]) -> Iterable[Any]:
        """Yields at most one annotated image for each ImageId, what is rejected, and how many images there are."""
        _, joined = element
        rows: dict[ImageKey, list[AnnotationRow]] = defaultdict(list)
        for key, row in map(row_from_plain, unpack(joined["rows"])):
            rows[key].append(row)
        files = {
            (folder, image_id): tuple(status)
            for folder, image_id, *status in unpack(joined["files"])
            if (folder, image_id) in rows or (folder in self.unlisted and is_image_name(image_id))
        }
        yield beam.pvalue.TaggedOutput("tallies", (ANNOTATED_IMAGES, len(files)))
        for key, of_image in rows.items():
            yield from self._join(key, sorted(of_image), files.pop(key, None))
        for (folder, image_id), status in files.items():
            file = ImageFile(join(self.folders[folder], image_id), *status)
            yield AnnotatedImage(image_id, file, (), self.unlisted[folder])

    def _join(self, key: ImageKey, rows: list[AnnotationRow], file: FileStatus | None) -> Iterable[Any]:
        folder, image_id = key
        if file is None:
            if good := [row for row in rows if row.mask.runs != REJECTED_RUNS]:
                message = f"there is no file {image_id} in {self.folders[folder]}; add the image, or remove its rows"
                missing = Rejected(good[0].mask.line, image_id, None, Code.IMAGE_MISSING.value, message, len(good))
                yield beam.pvalue.TaggedOutput("rejected", missing)
            return
        rows, contradictions = settle_contradictions(image_id, rows)
        for rejected in contradictions:
            yield beam.pvalue.TaggedOutput("rejected", rejected)
        yield AnnotatedImage(image_id, ImageFile(join(self.folders[folder], image_id), *file), tuple(rows))


@dataclasses.dataclass(kw_only=True, eq=False)
class GroupByImage(beam.PTransform):
    """Groups rows by ImageId, together with the listing of the image folders.

    Attributes:
        files: the listing.
        folders: paths of the image folders.
        partitions: number of partitions.
        unlisted: sources that want the images of a folder also without rows, by the index of the folder.
    """

    files: beam.PCollection[tuple[ImageKey, FileStatus]]
    folders: tuple[str, ...]
    partitions: int = MIN_PARTITIONS
    unlisted: Mapping[int, tuple[int, ...]] = dataclasses.field(default_factory=dict)

    def expand(self, rows: beam.PCollection[tuple[ImageKey, AnnotationRow]]) -> GroupedImages:
        batch_type = tuple[int, Batch]
        partition = functools.partial(partition_of, partitions=self.partitions)
        row_batches = IntoBatches(row_to_plain, size_of_row, partition)
        file_batches = IntoBatches(file_to_plain, size_of_file, partition)
        batches = {
            "rows": rows | "BatchRows" >> beam.ParDo(row_batches).with_output_types(batch_type),
            "files": self.files | "BatchFiles" >> beam.ParDo(file_batches).with_output_types(batch_type),
        }
        outputs = (
            batches
            | "JoinByPartition" >> beam.CoGroupByKey()
            # (partition, {"rows": [Batch of (ImageKey, AnnotationRow)], "files": [Batch of (ImageKey, FileStatus)]})
            | "JoinRowsToFiles"
            >> beam.ParDo(JoinRowsToFiles(self.folders, self.unlisted))
            .with_outputs("rejected", "tallies", main="images")
            .with_output_types(AnnotatedImage)
        )
        return GroupedImages(outputs.images, outputs.rejected, outputs.tallies)
