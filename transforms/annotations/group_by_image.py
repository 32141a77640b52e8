"""Groups rows by image and joins them to the image files.

Grouping takes two steps: a shuffle groups batches of rows and files by partition, a hash of the ImageId; then each
partition is grouped by ImageId in memory. Names that resemble each other are in one partition.
"""

from __future__ import annotations

import dataclasses
import functools
import zlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

import apache_beam as beam

from maskmill.transforms.annotations.csv_blocks import CsvFile
from maskmill.transforms.annotations.records import (
    FILE_CODEC,
    NO_CLASS,
    REJECTED_RUNS,
    ROW_CODEC,
    VALUE_CODEC,
    AnnotatedImage,
    AnnotationRow,
    FileStatus,
    ImageFile,
    ImageKey,
)
from maskmill.transforms.annotations.similar_names import SimilarFiles, loose_form
from maskmill.transforms.batches import IntoBatches
from maskmill.transforms.codec import Codec, PackedBatch, unpack
from maskmill.transforms.examples.image import is_image_name
from maskmill.transforms.examples.rle import EMPTY_RUNS
from maskmill.transforms.files.file_names import is_litter, normal_form
from maskmill.transforms.files.paths import join
from maskmill.transforms.rejected import Code, Rejected
from maskmill.transforms.tallies import (
    ANNOTATED_IMAGES,
    BESIDE_DEFECT,
    NO_NEGATIVES,
    OTHER_FORM,
    UNUSED_FILES,
    WITHOUT_ROW,
)

# CSV text in one partition; in memory it takes about ten times as much.
PARTITION_BYTES = 2**22
# Estimated ratio of a CSV file's size to its size when compressed.
COMPRESSION_RATIO = 5
# Keeps this many workers busy, however small the CSV is.
MIN_PARTITIONS = 64
# Names of the inputs with a value for each image.
_OF_IMAGES = ("groups", "splits")


class GroupedImages(NamedTuple):
    """The outputs of `GroupByImage`.

    Attributes:
        images: images with a file, and either rows or a source that uses images without rows.
        rejected: rows whose image file is missing, and rows that contradict each other.
        tallies: (name, images or rows).
    """

    images: beam.PCollection[AnnotatedImage]
    rejected: beam.PCollection[Rejected]
    tallies: beam.PCollection[tuple[str, int]]


def settle_contradictions(image_id: str, rows: Iterable[AnnotationRow]) -> tuple[list[AnnotationRow], list[Rejected]]:
    """Rejects the rows of a class if some say that the image has no defect of it (`-1`), and others where it has one.

    Args:
        image_id: file name of the image.
        rows: all rows of the image, sorted.

    Returns:
        the sorted rows to keep, and a record for each contradicting class. One row of each such class is kept, with
        `REJECTED_RUNS`.
    """
    kept: list[AnnotationRow] = []
    rejected: list[Rejected] = []
    for group in _by_class(rows):
        if later := _contradicting_row(group):
            kept.append(group[0]._replace(mask=group[0].mask._replace(runs=REJECTED_RUNS)))
            message = (
                f"{len(group)} rows of the image and class say both that there is no defect (-1) and where it is; "
                "remove those that are wrong"
            )
            rejected.append(
                Rejected(
                    source=later.mask.line,
                    image_id=image_id,
                    class_id=later.mask.class_id,
                    code=Code.ROWS_CONTRADICT.value,
                    message=message,
                    rows=len(group),
                )
            )
        else:
            kept += group
    return sorted(kept), rejected


def drop_needless(rows: list[AnnotationRow]) -> list[AnnotationRow]:
    """Leaves out the rows that name no class, and so list an image without a defect, where the image has a defect.

    Args:
        rows: all rows of an image.

    Returns:
        the others, in the same order; each source stands alone.
    """
    if not any(_names_no_class_nor_defect(row) for row in rows):
        return rows
    with_defect = {row.source for row in rows if row.mask.runs not in (EMPTY_RUNS, REJECTED_RUNS)}
    return [row for row in rows if row.source not in with_defect or not _names_no_class_nor_defect(row)]


def _names_no_class_nor_defect(row: AnnotationRow) -> bool:
    return row.mask.class_id == NO_CLASS and row.mask.runs == EMPTY_RUNS


def _by_class(rows: Iterable[AnnotationRow]) -> Iterable[list[AnnotationRow]]:
    """Groups rows by source and class, with rejected rows in groups of their own."""
    groups: dict[tuple[int, int, bool], list[AnnotationRow]] = defaultdict(list)
    for row in rows:
        groups[row.source, row.mask.class_id, row.mask.runs == REJECTED_RUNS].append(row)
    return groups.values()


def _contradicting_row(rows: list[AnnotationRow]) -> AnnotationRow | None:
    """Returns the first row that disagrees with the very first on whether there is a defect."""
    if len(rows) == 1:
        return None
    empty = [row.mask.runs == EMPTY_RUNS for row in rows]
    return rows[empty.index(not empty[0])] if len(set(empty)) > 1 else None


def partitions_for(files: Iterable[CsvFile]) -> int:
    """Returns the number of partitions for the rows of CSV files."""
    text = sum(file.size * (COMPRESSION_RATIO if file.compression else 1) for file in files)
    return max(MIN_PARTITIONS, -(-text // PARTITION_BYTES))


def partition_of(pair: tuple[ImageKey, Any], partitions: int) -> int:
    """Returns the partition of a row or file, given with its image."""
    folder, image_id = pair[0]
    return zlib.crc32(loose_form(image_id).encode(), folder) % partitions


_Rows = dict[ImageKey, list[AnnotationRow]]
_Files = dict[ImageKey, FileStatus]
_Values = dict[ImageKey, str]


class JoinRowsToFiles(beam.DoFn):
    """Joins the rows and files of a partition.

    Args:
        folders: paths of the image folders; see `ListImages`.
        unlisted: for the index of a folder, the sources that use its images without rows, too.
        excluded: see `GroupByImage`.
        note_unused: see `GroupByImage`.
    """

    def __init__(
        self,
        folders: tuple[tuple[str, ...], ...],
        unlisted: Mapping[int, tuple[int, ...]],
        excluded: Collection[str] = (),
        *,
        note_unused: bool = False,
    ) -> None:
        self.folders = folders
        # Of the paths of their files; `join` would judge the folder again for each.
        self.prefixes = [[join(folder, "") for folder in together] for together in folders]
        self.unlisted = unlisted
        self.excluded = excluded
        self.note_unused = note_unused

    def process(self, partition: tuple[int, dict[str, Iterable[PackedBatch]]]) -> Iterable[Any]:
        """Yields at most one annotated image for each file, rejected rows, and numbers of images and rows."""
        _, joined = partition
        rows: dict[ImageKey, list[AnnotationRow]] = defaultdict(list)
        for key, row in unpack(joined["rows"], ROW_CODEC):
            rows[key].append(row)
        # Beam gives lists, which can be read twice.
        files = self._files_of(unpack(joined["files"], FILE_CODEC), rows)
        if self.note_unused:
            names = [image_id for (_, image_id), _ in unpack(joined["files"], FILE_CODEC)]
            unused = sum(not is_image_name(name) and not is_litter(name) for name in names)
            yield beam.pvalue.TaggedOutput("tallies", (UNUSED_FILES, unused))
        # An image with a file of exactly its name may have one in another Unicode form, too, which is no negative.
        unsure = [key for key in rows if key not in files or (key[0] in self.unlisted and not key[1].isascii())]
        if unsure:
            similar = SimilarFiles(unsure, unpack(joined["files"], FILE_CODEC))
            yield from self._take_other_forms([key for key in unsure if key not in files], similar, rows, files)
            missing = [key for key in rows if key not in files]
            yield from self._reject_missing(missing, similar, rows)
            yield from self._drop_doubtful(unsure, missing, similar, rows, files)
        yield beam.pvalue.TaggedOutput("tallies", (ANNOTATED_IMAGES, len(files)))
        groups, splits = (dict(unpack(joined[name], VALUE_CODEC)) if name in joined else None for name in _OF_IMAGES)
        if splits and (unused := self._count_unused(splits, rows, joined["files"])):
            yield beam.pvalue.TaggedOutput("tallies", (WITHOUT_ROW, unused))
        for key, status in files.items():
            yield from self._annotate(key, status, sorted(rows.get(key, [])), _value(groups, key), _value(splits, key))

    def _files_of(self, listed: Iterable[tuple[ImageKey, FileStatus]], rows: _Rows) -> _Files:
        """Returns the files that rows name, or that are used without rows."""
        files: _Files = {}
        for key, status in listed:
            # Litter, which a row may name, may be in several folders: the first counts.
            if (key in rows or self._used(key)) and status[2] <= files.get(key, status)[2]:
                files[key] = status
        return files

    def _used(self, key: ImageKey) -> bool:
        """Returns whether a file without rows is used."""
        folder, image_id = key
        usable = folder in self.unlisted and is_image_name(image_id) and not is_litter(image_id)
        return usable and not (self.excluded and normal_form(image_id) in self.excluded)

    def _count_unused(self, splits: _Values, rows: _Rows, files: Iterable[PackedBatch]) -> int:
        """Counts the files that have a split, and become no example because they have no row."""
        return sum(
            key not in rows and not self._used(key) and normal_form(key[1]) not in self.excluded
            for key, _ in unpack(files, FILE_CODEC)
            if (key[0], normal_form(key[1])) in splits
        )

    def _take_other_forms(
        self, missing: Iterable[ImageKey], similar: SimilarFiles, rows: _Rows, files: _Files
    ) -> Iterable[Any]:
        """Gives the rows of an image to the one file that has its name in another Unicode form."""
        for key in missing:
            found = similar.same(key)
            if len(found) == 1:
                file = key[0], found[0]
                files[file] = similar.to(key)[found[0]]
                if good := _good(rows[key]):
                    yield beam.pvalue.TaggedOutput("tallies", (OTHER_FORM, len(good)))
                rows[file] += rows.pop(key)

    def _reject_missing(self, missing: Iterable[ImageKey], similar: SimilarFiles, rows: _Rows) -> Iterable[Any]:
        for key in missing:
            if good := _good(sorted(rows[key])):
                code, meant, rest = Code.IMAGE_MISSING, similar.nearest(key), "; add the image, or remove its rows"
                if similar.same(key):
                    code, meant = Code.IMAGE_AMBIGUOUS, None
                    rest = ", but several that have this name in other Unicode forms (NFC, NFD); keep one of them"
                elif meant:
                    rest = f", which has {meant[1]}; write the name of the file in the row"
                rejected = Rejected(
                    source=good[0].mask.line,
                    image_id=key[1],
                    class_id=None,
                    code=code.value,
                    message=f"there is no file {key[1]} in {' or '.join(self.folders[key[0]])}{rest}",
                    rows=len(good),
                    meant=meant,
                )
                yield beam.pvalue.TaggedOutput("rejected", rejected)

    def _drop_doubtful(
        self,
        unsure: Iterable[ImageKey],
        missing: Iterable[ImageKey],
        similar: SimilarFiles,
        rows: _Rows,
        files: _Files,
    ) -> Iterable[Any]:
        """Drops files without rows that rows may mean: they may have a defect."""
        doubtful = {(folder, name) for folder, image_id in unsure for name in similar.same((folder, image_id))}
        doubtful |= {(folder, name) for folder, image_id in missing for name in similar.to((folder, image_id))}
        dropped = [key for key in files if key in doubtful and key not in rows]
        for key in dropped:
            del files[key]
        if dropped:
            yield beam.pvalue.TaggedOutput("tallies", (NO_NEGATIVES, len(dropped)))

    def _annotate(
        self, key: ImageKey, file: FileStatus, rows: list[AnnotationRow], group: str | None, split: str | None
    ) -> Iterable[Any]:
        folder, image_id = key
        size, modified, place = file
        image = ImageFile(self.prefixes[folder][place] + image_id, size, modified)
        if not rows:
            yield AnnotatedImage(image_id, image, (), self.unlisted[folder], group, split)
            return
        rows, contradictions = settle_contradictions(image_id, rows)
        for rejected in contradictions:
            yield beam.pvalue.TaggedOutput("rejected", rejected)
        needed = drop_needless(rows)
        if len(needed) < len(rows):
            yield beam.pvalue.TaggedOutput("tallies", (BESIDE_DEFECT, len(rows) - len(needed)))
        yield AnnotatedImage(image_id, image, tuple(needed), group=group, split=split)


def _value(values: _Values | None, key: ImageKey) -> str | None:
    """Returns the group or split of an image; files of these name images in the form that all spellings share."""
    return None if values is None else values.get((key[0], normal_form(key[1])), "")


def _good(rows: Iterable[AnnotationRow]) -> list[AnnotationRow]:
    return [row for row in rows if row.mask.runs != REJECTED_RUNS]


@dataclasses.dataclass(kw_only=True, eq=False)
class GroupByImage(beam.PTransform):
    """Groups rows by image, and joins the files of the image folders.

    Attributes:
        files: output of `ListImages`.
        folders: paths of the image folders; see `ListImages`.
        partitions: number of groups in the shuffle; see `partitions_for`.
        unlisted: for the index of a folder, the sources that use its images without rows, too.
        excluded: names of files, as `file_named` gives them, that are not used without rows either.
        groups: output of `ReadImageValues`; None if there is no file of groups.
        splits: output of `ReadImageValues`; None if there is no file of splits.
        note_unused: whether to count the files that are left out because of their names, where nothing but a name says
            that a file is an image.
    """

    files: beam.PCollection[tuple[ImageKey, FileStatus]]
    folders: tuple[tuple[str, ...], ...]
    partitions: int = MIN_PARTITIONS
    unlisted: Mapping[int, tuple[int, ...]] = dataclasses.field(default_factory=dict)
    excluded: Collection[str] = ()
    groups: beam.PCollection[tuple[ImageKey, str]] | None = None
    splits: beam.PCollection[tuple[ImageKey, str]] | None = None
    note_unused: bool = False

    def expand(self, rows: beam.PCollection[tuple[ImageKey, AnnotationRow]]) -> GroupedImages:
        batch_type = tuple[int, PackedBatch]
        partition = functools.partial(partition_of, partitions=self.partitions)
        parts: dict[str, tuple[beam.PCollection[Any], Codec[Any]]] = {
            "rows": (rows, ROW_CODEC),
            "files": (self.files, FILE_CODEC),
        }
        for name, values in zip(_OF_IMAGES, (self.groups, self.splits), strict=True):
            if values is not None:
                parts[name] = values, VALUE_CODEC
        batches = {
            name: records
            | f"Batch{name.capitalize()}" >> beam.ParDo(IntoBatches(codec, partition)).with_output_types(batch_type)
            for name, (records, codec) in parts.items()
        }
        outputs = (
            batches
            | "JoinByPartition" >> beam.CoGroupByKey()
            # (partition, {"rows": [PackedBatch of (ImageKey, AnnotationRow)],
            #              "files": [PackedBatch of (ImageKey, FileStatus)],
            #              "groups", if there are any: [PackedBatch of (ImageKey, group)],
            #              "splits", if there are any: [PackedBatch of (ImageKey, split)]})
            | "JoinRowsToFiles"
            >> beam.ParDo(JoinRowsToFiles(self.folders, self.unlisted, self.excluded, note_unused=self.note_unused))
            .with_outputs("rejected", "tallies", main="images")
            .with_output_types(AnnotatedImage)
        )
        return GroupedImages(outputs.images, outputs.rejected, outputs.tallies)
