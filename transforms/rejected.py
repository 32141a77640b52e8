"""What is wrong with a row or an image: the codes, the record, the exception."""

from __future__ import annotations

import enum
from typing import NamedTuple


class Code(str, enum.Enum):
    """Why a row or an image cannot become an example."""

    CSV_NOT_UTF8 = "CSV_NOT_UTF8"
    CSV_UNCLOSED_QUOTE = "CSV_UNCLOSED_QUOTE"
    CSV_FIELD_COUNT = "CSV_FIELD_COUNT"
    CSV_LINE_TOO_LONG = "CSV_LINE_TOO_LONG"
    IMAGE_ID_INVALID = "IMAGE_ID_INVALID"
    CLASS_INVALID = "CLASS_INVALID"
    GROUP_INVALID = "GROUP_INVALID"
    RLE_NOT_NUMBERS = "RLE_NOT_NUMBERS"
    RLE_ODD_COUNT = "RLE_ODD_COUNT"
    RLE_BAD_START = "RLE_BAD_START"
    RLE_BAD_LENGTH = "RLE_BAD_LENGTH"
    RLE_OUT_OF_BOUNDS = "RLE_OUT_OF_BOUNDS"
    RLE_TOO_LONG = "RLE_TOO_LONG"
    ROWS_CONTRADICT = "ROWS_CONTRADICT"
    MASK_INCOMPLETE = "MASK_INCOMPLETE"
    IMAGE_MISSING = "IMAGE_MISSING"
    IMAGE_EMPTY = "IMAGE_EMPTY"
    IMAGE_NOT_RECOGNISED = "IMAGE_NOT_RECOGNISED"
    IMAGE_DAMAGED = "IMAGE_DAMAGED"
    IMAGE_PARTLY_DAMAGED = "IMAGE_PARTLY_DAMAGED"
    IMAGE_SEVERAL_FRAMES = "IMAGE_SEVERAL_FRAMES"
    IMAGE_MODE_UNSUPPORTED = "IMAGE_MODE_UNSUPPORTED"
    IMAGE_TOO_LARGE = "IMAGE_TOO_LARGE"


class DataError(ValueError):
    """A row or an image is bad; raised by plain functions, caught by the transforms.

    Attributes:
        code: the reason.
        message: what is wrong and what to do, without the name of the record.
        image_id: what a bad row says of its image; "" where it says nothing, or the fault is another's.
        class_id: the row's class; None where it gives none.
    """

    def __init__(self, code: Code, message: str, image_id: str = "", class_id: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.image_id = image_id
        self.class_id = class_id


class Line(NamedTuple):
    """Where a row stands: a line of a block of a CSV file, the block not knowing how many lines come before it.

    Attributes:
        path: the CSV file.
        block: offset of the block's first line, in bytes (of the decompressed file).
        line: number of lines of the block before this one.
    """

    path: str
    block: int
    line: int


class Rejected(NamedTuple):
    """A row or an image that cannot become an example.

    Attributes:
        source: a line of a CSV file, or the path of an image.
        image_id: the image's file name; "" where the row does not give one.
        class_id: the row's class; None where it is not known or does not matter.
        code: the reason, a value of `Code`.
        message: what is wrong, and what to do.
        rows: how many rows of the CSV become no example for this reason.
    """

    source: Line | str
    image_id: str
    class_id: int | None
    code: str
    message: str
    rows: int
