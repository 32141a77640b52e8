"""Parses CSV files with a value for each image: its group, or its split."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Sequence

from maskmill.names import fold_name, is_split_name
from maskmill.transforms.annotations.columns import SEPARATORS, header_names, split_fields
from maskmill.transforms.annotations.image_ids import file_named
from maskmill.transforms.annotations.parse_row import is_file_name, split_lines
from maskmill.transforms.files.signatures import kind_of
from maskmill.transforms.limits import MAX_NAME_BYTES
from maskmill.transforms.rejected import DataError
from maskmill.transforms.text import SHOWN_CHARACTERS, printable

IMAGE_COLUMN = "ImageId"
_HEADER_BYTES = 200
_MARK = "\ufeff".encode()
# A fold, by its number: as pandas writes it in a column with empty fields, too.
_FOLD = re.compile(r"(?:fold[ _-]?)?([0-9]{1,6})(?:\.0*)?", re.ASCII | re.IGNORECASE)
_SUFFIX = "_input"


class ValueFileError(ValueError):
    """A file of values is wrong; the message says where, and what to do."""


@dataclasses.dataclass(frozen=True)
class ValueColumn:
    """A column with a value for each image.

    Attributes:
        names: that the column may have; the first that is in the header counts.
        noun: what a value is.
        parse: returns the value that a field says; its ValueError says what the field must be.
    """

    names: tuple[str, ...]
    noun: str
    parse: Callable[[str], str]


def parse_values(text: bytes, path: str, column: ValueColumn, image_suffix: str = "") -> dict[str, str]:
    """Parses a CSV file with the column ImageId and one of values; others are ignored.

    Args:
        text: content of the file.
        path: of the file, for messages.
        column: of the values.
        image_suffix: see `file_named`.

    Returns:
        the value by the name of the file, as `file_named` gives it.

    Raises:
        ValueFileError: a line is wrong, or gives an image another value than an earlier line.
    """
    if kind := kind_of(text):
        raise ValueFileError(f"{path}: is {kind}, not a CSV file; give a CSV file with {_columns(column)}")
    lines = split_lines(text.removeprefix(_MARK))
    separator, header, name_of_column = _find_header(next(lines, b""), path, column)
    values: dict[str, str] = {}
    first_lines: dict[str, int] = {}
    for number, line in enumerate(lines, start=2):
        if not line.strip():
            continue
        try:
            image_id, field = _parse_line(line, header, separator, name_of_column)
            value = _parse_field(field, image_id, column)
        except ValueError as error:  # a DataError among them
            raise ValueFileError(f"{path}:{number}: {error}") from error
        name, noun = file_named(image_id, image_suffix), column.noun
        if values.setdefault(name, value) != value:
            problem = f"{image_id} is in the {noun} {value!r} here, and in {values[name]!r} in line {first_lines[name]}"
            raise ValueFileError(f"{path}:{number}: {problem}; an image is in one {noun}: remove one of the lines")
        first_lines.setdefault(name, number)
    return values


def _columns(column: ValueColumn) -> str:
    return f"the columns {IMAGE_COLUMN},{' or '.join(column.names)}"


def _find_header(line: bytes, path: str, column: ValueColumn) -> tuple[str, Sequence[str], str]:
    """Returns the separator, the names of all columns, and that of the values'."""
    text = line.decode("utf-8", "replace")
    for separator in SEPARATORS.values():
        try:
            header = header_names(text, separator)
        except DataError:
            continue
        name = next((name for name in column.names if name in header), "")
        if header.count(IMAGE_COLUMN) == header.count(name) == 1:
            return separator, header, name
    found = printable(text[:_HEADER_BYTES]) or "nothing"
    raise ValueFileError(f"{path}:1: the first line must name {_columns(column)}, each once; it has: {found}")


def _parse_line(line: bytes, header: Sequence[str], separator: str, column: str) -> tuple[str, str]:
    """Returns the ImageId of a line, and the field with the value.

    Raises:
        ValueError: the line is wrong; the message says what, and what to do.
    """
    try:
        fields = split_fields(line.decode("utf-8"), separator)
    except UnicodeDecodeError as error:
        raise ValueError("the line is not UTF-8; save the file as UTF-8") from error
    if len(fields) != len(header):
        raise ValueError(f"the line has {len(fields)} fields, the header {len(header)}; correct the line")
    image_id, field = (fields[header.index(name)].strip() for name in (IMAGE_COLUMN, column))
    if not is_file_name(image_id):
        raise ValueError(f"{image_id[:SHOWN_CHARACTERS]!r} is no file name; give the name of a file, not a path")
    return image_id, field


def _parse_field(field: str, image_id: str, column: ValueColumn) -> str:
    try:
        return column.parse(field)
    except ValueError as error:
        raise ValueError(f"the {column.noun} of {image_id} is {field[:SHOWN_CHARACTERS]!r}; {error}") from error


def parse_group(field: str) -> str:
    """Returns the group that a field names.

    Raises:
        ValueError: it is empty, or too long.
    """
    if not 0 < len(field.encode()) <= MAX_NAME_BYTES:
        raise ValueError(f"it must have from 1 to {MAX_NAME_BYTES} bytes")
    return field


GROUPS = ValueColumn(("group",), "group", parse_group)


def parse_split(field: str) -> str:
    """Returns the name of the split that a field names: `fold_3` for 3, `train_input` for train.

    Raises:
        ValueError: it names none.
    """
    if fold := _FOLD.fullmatch(field):
        return fold_name(int(fold[1]))
    name = field if field.endswith(_SUFFIX) else f"{field}{_SUFFIX}"
    if not is_split_name(name):
        raise ValueError(
            "it must be the name of a section, such as train_input or train, or the number of a fold; an image that is "
            "to be in no split has no line"
        )
    return name


SPLITS = ValueColumn(("split", "fold"), "split", parse_split)
