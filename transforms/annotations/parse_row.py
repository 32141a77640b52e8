"""Parses and checks the lines of CSV files."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from maskmill.transforms.annotations.columns import Columns, split_fields
from maskmill.transforms.examples.mask_text import parse_runs
from maskmill.transforms.examples.rle import have_overlaps, pack_runs
from maskmill.transforms.limits import MAX_NAME_BYTES
from maskmill.transforms.rejected import Code, DataError
from maskmill.transforms.text import SHOWN_CHARACTERS

_DECIMAL = re.compile(r"(\d+)\.0*")
_NO_MASK = frozenset({"", "nan"})
_NO_FILE_NAMES = frozenset({"", ".", ".."})
_NOT_IN_FILE_NAMES = frozenset("/\\\0")


class DefectRow(NamedTuple):
    """A line of the CSV, parsed.

    Attributes:
        image_id: file name of the image.
        class_id: number of the class, from 1.
        runs: packed by `rle.pack_runs`; None if the row has no mask, or if its class is not kept.
        group: of the image; "" if groups are not read.
        overlapping: whether runs of the mask overlap each other.
    """

    image_id: str
    class_id: int
    runs: bytes | None
    group: str = ""
    overlapping: bool = False


def parse_row(line: bytes, columns: Columns, classes: Collection[int] | None = None) -> DefectRow:
    """Parses one line.

    Args:
        line: without its end.
        columns: of the line's file.
        classes: numbers of the classes whose masks are kept; other masks are only checked. None keeps all.

    Raises:
        DataError: the line is not a row.
    """
    try:
        return _parse_fields(_decode_fields(line), columns, classes)
    except DataError as error:
        error.image_id, error.class_id = name_row(line, columns)
        raise


def name_row(line: bytes, columns: Columns) -> tuple[str, int | None]:
    """Returns the ImageId and class number of a bad line, as far as it names them; otherwise "" and None."""
    try:
        fields = split_fields(line.decode("utf-8", "replace"))
    except DataError:
        return "", None
    if len(fields) <= max(columns.image, columns.class_id or 0):
        return "", None
    image_id, class_text = _image_and_class(fields, columns)
    return image_id, _class_number(class_text, columns)


def is_file_name(image_id: str) -> bool:
    """Returns whether an ImageId is a valid file name. A path is not: it could lead out of the image folder."""
    if len(image_id.encode()) > MAX_NAME_BYTES:
        return False
    return image_id not in _NO_FILE_NAMES and not _NOT_IN_FILE_NAMES.intersection(image_id)


def _decode_fields(line: bytes) -> list[str]:
    try:
        return split_fields(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise DataError(Code.CSV_NOT_UTF8, f"the line is not UTF-8 ({error}); save the file as UTF-8") from error


def _parse_fields(fields: Sequence[str], columns: Columns, classes: Collection[int] | None) -> DefectRow:
    _check_field_count(fields, columns)
    image_id, class_text = _image_and_class(fields, columns)
    _check_image_id(image_id, fields[columns.image])
    text = fields[columns.mask].strip()
    runs = None if text.lower() in _NO_MASK else parse_runs(text, columns.format.runs)
    class_id = _parse_class(class_text, columns)
    group = _parse_group(fields, columns)
    if runs is None or (classes is not None and class_id not in classes):
        return DefectRow(image_id, class_id, None, group)
    return DefectRow(image_id, class_id, pack_runs(runs), group, have_overlaps(runs))


def _check_field_count(fields: Sequence[str], columns: Columns) -> None:
    if len(fields) != columns.fields:
        raise DataError(
            Code.CSV_FIELD_COUNT,
            f"the line has {len(fields)} fields, the header {columns.fields}; quote a field that contains a comma",
        )


def _image_and_class(fields: Sequence[str], columns: Columns) -> tuple[str, str]:
    image_id, class_text = fields[columns.image].strip(), ""
    if columns.class_id is None:
        class_text = columns.format.classes[0]
    elif columns.class_id == columns.image:
        image_id, _, class_text = image_id.rpartition("_")
    else:
        class_text = fields[columns.class_id].strip()
    # The suffix alone is no name.
    return image_id and image_id + columns.format.image_suffix, class_text


def _check_image_id(image_id: str, field: str) -> None:
    shown = repr(field[:SHOWN_CHARACTERS])
    if len(image_id.encode()) > MAX_NAME_BYTES:
        problem = f"{shown}… does not name an image; no file name has more than {MAX_NAME_BYTES} bytes"
        raise DataError(Code.IMAGE_ID_INVALID, problem)
    if not is_file_name(image_id):
        raise DataError(Code.IMAGE_ID_INVALID, f"{shown} does not name an image; it must be a file name, not a path")


def _class_number(text: str, columns: Columns) -> int | None:
    classes = columns.format.classes
    # A table that is saved from memory has 3.0 for 3 if any field of the column is empty.
    if text not in classes and (decimal := _DECIMAL.fullmatch(text)):
        text = decimal[1]
    return classes.index(text) + 1 if text in classes else None


def _parse_class(text: str, columns: Columns) -> int:
    number = _class_number(text, columns)
    if number is None:
        *others, last = columns.format.classes
        expected = f"{', '.join(others)} or {last}" if others else last
        raise DataError(Code.CLASS_INVALID, f"the class is {text[:40]!r}; it must be {expected}")
    return number


def _parse_group(fields: Sequence[str], columns: Columns) -> str:
    if columns.group is None:
        return ""
    group = fields[columns.group].strip()
    if not 0 < len(group.encode()) <= MAX_NAME_BYTES:
        problem = f"the group in the column {columns.format.group!r} is {group[:SHOWN_CHARACTERS]!r}"
        raise DataError(Code.GROUP_INVALID, f"{problem}; it must have from 1 to {MAX_NAME_BYTES} bytes")
    return group


def split_lines(text: bytes) -> Iterator[bytes]:
    """Yields all lines of a block, blank ones too, without their ends (LF or CR LF)."""
    for line in text.removesuffix(b"\n").split(b"\n"):
        yield line.removesuffix(b"\r")
