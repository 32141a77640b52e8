"""Describes rows and images that cannot become examples: the reason codes, the exception, the records."""

from __future__ import annotations

import enum
from typing import NamedTuple


class Code(str, enum.Enum):
    """The reason why a row or an image cannot become an example; docs/data.md explains each."""

    CSV_NOT_UTF8 = "CSV_NOT_UTF8"
    CSV_UNCLOSED_QUOTE = "CSV_UNCLOSED_QUOTE"
    CSV_FIELD_COUNT = "CSV_FIELD_COUNT"
    CSV_LINE_TOO_LONG = "CSV_LINE_TOO_LONG"
    CSV_FILES_JOINED = "CSV_FILES_JOINED"
    IMAGE_ID_INVALID = "IMAGE_ID_INVALID"
    CLASS_INVALID = "CLASS_INVALID"
    GROUP_INVALID = "GROUP_INVALID"
    RLE_CUT_OFF = "RLE_CUT_OFF"
    RLE_NOT_NUMBERS = "RLE_NOT_NUMBERS"
    RLE_ODD_COUNT = "RLE_ODD_COUNT"
    RLE_BAD_START = "RLE_BAD_START"
    RLE_BAD_LENGTH = "RLE_BAD_LENGTH"
    RLE_NOT_ASCENDING = "RLE_NOT_ASCENDING"
    RLE_OUT_OF_BOUNDS = "RLE_OUT_OF_BOUNDS"
    RLE_TOO_LONG = "RLE_TOO_LONG"
    ROWS_CONTRADICT = "ROWS_CONTRADICT"
    MASK_INCOMPLETE = "MASK_INCOMPLETE"
    IMAGE_MISSING = "IMAGE_MISSING"
    IMAGE_AMBIGUOUS = "IMAGE_AMBIGUOUS"
    IMAGE_EMPTY = "IMAGE_EMPTY"
    IMAGE_NOT_RECOGNISED = "IMAGE_NOT_RECOGNISED"
    IMAGE_FORMAT_UNSUPPORTED = "IMAGE_FORMAT_UNSUPPORTED"
    IMAGE_DAMAGED = "IMAGE_DAMAGED"
    IMAGE_PARTLY_DAMAGED = "IMAGE_PARTLY_DAMAGED"
    IMAGE_SEVERAL_FRAMES = "IMAGE_SEVERAL_FRAMES"
    IMAGE_MODE_UNSUPPORTED = "IMAGE_MODE_UNSUPPORTED"
    IMAGE_TOO_LARGE = "IMAGE_TOO_LARGE"
    IMAGE_OTHER_SIZE = "IMAGE_OTHER_SIZE"


class DataError(ValueError):
    """A row or an image is bad. Plain functions raise it, transforms catch it and emit a `Rejected`.

    Attributes:
        code: the reason.
        message: what is wrong and what to do, without the name of the record.
        image_id: the ImageId that a bad row names; "" if it names none, or if the error is not about a row.
        class_id: number of the class that a bad row names; None if it names none.
    """

    def __init__(self, code: Code, message: str, image_id: str = "", class_id: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.image_id = image_id
        self.class_id = class_id

    def __reduce__(self) -> tuple[type[DataError], tuple[Code, str, str, int | None]]:
        """Tells pickle what the error is made of; of its own it would only keep the message."""
        return DataError, (self.code, self.message, self.image_id, self.class_id)


class Line(NamedTuple):
    """The place of a row in a CSV file, relative to a block: a block does not know how many lines precede it.

    Attributes:
        path: the CSV file.
        block: offset of the block's first line, in bytes (of the decompressed file).
        line: number of lines of the block before this one.
    """

    path: str
    block: int
    line: int


class Rejected(NamedTuple):
    """A row or an image that cannot become an example, as a step emits it.

    Attributes:
        source: a line of a CSV file, or the path of an image.
        image_id: file name of the image; "" if a bad row names none.
        class_id: number of the row's class; None if it is unknown, or if the record is not about one class.
        code: the reason, a value of `Code`.
        message: what is wrong and what to do.
        rows: number of rows of the CSV that become no example for this reason.
        meant: (index of the image folder, name) of the file that the rows may mean, if they name it in another way.
    """

    source: Line | str
    image_id: str
    class_id: int | None
    code: str
    message: str
    rows: int
    meant: tuple[int, str] | None = None


class RejectedRecord(NamedTuple):
    """A line of rejected.jsonl: the fields are its keys, in this order.

    Attributes:
        source: path of the CSV file or of the image.
        line: number of the line in the CSV file, from 1; None for an image.
        image_id: see `Rejected`, as for the following fields.
        class_id: number of the class, or None.
        code: a value of `Code`.
        message: what is wrong and what to do.
    """

    source: str
    line: int | None
    image_id: str
    class_id: int | None
    code: str
    message: str
