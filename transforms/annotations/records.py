"""Records of the annotations: what the CSV files and the image folders say, before any example is made."""

from __future__ import annotations

from typing import NamedTuple

from maskmill.transforms.rejected import Line


class ImageFile(NamedTuple):
    """What a listing of the image folder says of a file.

    Attributes:
        path: of the file, as `FileSystems` takes it.
        size: in bytes.
        modified: seconds since the epoch.
    """

    path: str
    size: int
    modified: float


class MaskRow(NamedTuple):
    """One row's part in an example.

    Attributes:
        line: where it stands.
        class_id: number of its class, from 1.
        runs: packed by `rle.pack_runs`.
    """

    line: Line
    class_id: int
    runs: bytes


class Source(NamedTuple):
    """Annotations with the folder of their images.

    Attributes:
        folder: index of the image folder in `ListImages.folders`.
        class_ids: classes whose rows are wanted.
        empty_rows: whether rows without a mask are wanted, which then say what `-1` says.
    """

    folder: int
    class_ids: frozenset[int]
    empty_rows: bool = False


class AnnotationRow(NamedTuple):
    """A row of interest. Such rows are in the order of source, file and line.

    Attributes:
        source: index in `ReadAnnotations.sources`.
        rank: of the row's file among the source's.
        mask: the row's line, class and runs.
        group: that the image is of; "" where it is not asked for.
    """

    source: int
    rank: int
    mask: MaskRow
    group: str = ""


# In place of the runs of a row that was rejected: whoever makes a mask of the other rows has to know of it.
REJECTED_RUNS = b""

# The class of such a row, where it does not give one.
UNKNOWN_CLASS = 0

ImageKey = tuple[int, str]  # folder, ImageId

# Size in bytes, and seconds since the epoch; a plain tuple, which Beam encodes in a few bytes.
FileStatus = tuple[int, float]


class AnnotatedImage(NamedTuple):
    """All rows of one image, with what the listing says of its file.

    Attributes:
        image_id: file name.
        image: the file.
        rows: in the order of source, file and line.
        sources: where there are no rows, the sources that want the images of its folder also without.
    """

    image_id: str
    image: ImageFile
    rows: tuple[AnnotationRow, ...]
    sources: tuple[int, ...] = ()
