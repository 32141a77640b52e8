"""Defines the records of annotations, which CSV files and image folders hold, and their codecs."""

from __future__ import annotations

import sys
from typing import NamedTuple

from maskmill.transforms.codec import Codec, Plain
from maskmill.transforms.rejected import Line

# Estimated bytes of a packed row besides its runs and the path of its file.
ROW_BYTES = 100
# Estimated bytes of a packed file besides its name.
_FILE_BYTES = 30
# Estimated bytes of a packed group or split of an image, besides their names.
_VALUE_BYTES = 20


class ImageFile(NamedTuple):
    """A file of an image folder, as the file system lists it.

    Attributes:
        path: accepted by Beam's `FileSystems`.
        size: in bytes.
        modified: seconds since the epoch.
    """

    path: str
    size: int
    modified: float


class MaskRow(NamedTuple):
    """What a row adds to the mask of an example.

    Attributes:
        line: the row's line in its CSV file.
        class_id: number of its class, from 1; or `NO_CLASS`.
        runs: packed by `rle.pack_runs`.
    """

    line: Line
    class_id: int
    runs: bytes


class Source(NamedTuple):
    """A set of CSV files with the folder of their images.

    Attributes:
        folder: index in `ListImages.folders`: its images may be in several folders.
        class_ids: only rows of these classes are kept.
        empty_rows: True keeps rows without a mask, as if their mask were `-1`.
    """

    folder: int
    class_ids: frozenset[int]
    empty_rows: bool = False


class AnnotationRow(NamedTuple):
    """A row that a source keeps. Rows sort by source, file and line.

    Attributes:
        source: index in `ReadAnnotations.sources`.
        file_index: index of the row's file among those of its source.
        mask: the row's line, class and runs.
        group: of the image; "" if groups are not used.
    """

    source: int
    file_index: int
    mask: MaskRow
    group: str = ""


# Replaces the runs of a rejected row, so that no example is made from the other rows of its mask alone.
REJECTED_RUNS = b""

# The class of a row that names none: of an image without a defect, or rejected.
NO_CLASS = 0

ImageKey = tuple[int, str]  # index in `ListImages.folders`, ImageId

# Size in bytes, seconds since the epoch, and index of its folder among those of its key. A plain tuple, which Beam
# encodes in a few bytes.
FileStatus = tuple[int, float, int]


class AnnotatedImage(NamedTuple):
    """An image file with all its rows.

    Attributes:
        image_id: file name.
        image: the file.
        rows: sorted by source, file and line.
        sources: if there are no rows, the sources that use images of this folder without rows.
        group: from a file of groups; "" if it has none of the image; None if there is no such file.
        split: from a file of splits, likewise.
    """

    image_id: str
    image: ImageFile
    rows: tuple[AnnotationRow, ...]
    sources: tuple[int, ...] = ()
    group: str | None = None
    split: str | None = None


def _row_to_plain(pair: tuple[ImageKey, AnnotationRow]) -> Plain:
    source, file_index, (line, class_id, runs), group = pair[1]
    return (*pair[0], source, file_index, sys.intern(line.path), line.block, line.line, class_id, runs, group)


def _row_from_plain(plain: Plain) -> tuple[ImageKey, AnnotationRow]:
    folder, image_id, source, file_index, path, block, line, class_id, runs, group = plain
    mask = MaskRow(Line(path, block, line), class_id, runs)
    return (folder, image_id), AnnotationRow(source, file_index, mask, group)


def _size_of_row(pair: tuple[ImageKey, AnnotationRow]) -> int:
    return len(pair[0][1]) + len(pair[1].mask.runs) + len(pair[1].group) + ROW_BYTES


def _file_to_plain(pair: tuple[ImageKey, FileStatus]) -> Plain:
    return (*pair[0], *pair[1])


def _file_from_plain(plain: Plain) -> tuple[ImageKey, FileStatus]:
    folder, image_id, size, modified, place = plain
    return (folder, image_id), (size, modified, place)


def _size_of_file(pair: tuple[ImageKey, FileStatus]) -> int:
    return len(pair[0][1]) + _FILE_BYTES


def _value_to_plain(pair: tuple[ImageKey, str]) -> Plain:
    return (*pair[0], sys.intern(pair[1]))


def _value_from_plain(plain: Plain) -> tuple[ImageKey, str]:
    folder, image_id, value = plain
    return (folder, image_id), value


def _size_of_value(pair: tuple[ImageKey, str]) -> int:
    return len(pair[0][1]) + len(pair[1]) + _VALUE_BYTES


ROW_CODEC = Codec(_row_to_plain, _row_from_plain, _size_of_row)
FILE_CODEC = Codec(_file_to_plain, _file_from_plain, _size_of_file)
VALUE_CODEC = Codec(_value_to_plain, _value_from_plain, _size_of_value)
