"""CSV lines to rows: the header, and one line after another."""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from transforms.element_size import MAX_NAME_BYTES
from transforms.printable import printable
from transforms.rejected import Code, DataError
from transforms.rle import pack_runs, parse_runs

CLASS_IDS = (1, 2, 3, 4)
_CLASSES = {str(class_id): class_id for class_id in CLASS_IDS}
_NO_MASK = frozenset({"", "nan"})
_NO_FILE_NAMES = frozenset({"", ".", ".."})
_NOT_IN_FILE_NAMES = frozenset("/\\\0")
_SHOWN_CHARACTERS = 80


class ColumnNames(NamedTuple):
    """Names of the columns that a header is searched for."""

    image: str = "ImageId"
    class_id: str = "ClassId"
    mask: str = "EncodedPixels"

    @property
    def image_and_class(self) -> str:
        """The one column of the competition's original layout, `ImageId_ClassId`."""
        return f"{self.image}_{self.class_id}"


class Columns(NamedTuple):
    """Where the columns of a CSV file stand.

    Attributes:
        image: index of the column with the image, or with image and class.
        class_id: index of the column with the class; None in the original layout, where it is part of the image's.
        mask: index of the column with the runs.
        fields: number of columns.
    """

    image: int
    class_id: int | None
    mask: int
    fields: int


class DefectRow(NamedTuple):
    """What a line of the CSV says.

    Attributes:
        image_id: file name of the image.
        class_id: 1 to 4.
        runs: packed by `rle.pack_runs`; None where the row has no mask at all, or one that nobody asked for.
    """

    image_id: str
    class_id: int
    runs: bytes | None


def parse_header(line: str, names: ColumnNames) -> Columns:
    """Finds the columns in a header, in either layout.

    Args:
        line: the first line of the file, without its end; a byte order mark is ignored.
        names: of the columns.

    Returns:
        the columns' places.

    Raises:
        ValueError: a column is missing or stands twice; the message says which.
    """
    header = [name.strip() for name in split_fields(line.removeprefix("\ufeff"))]
    original = names.image_and_class in header and names.class_id not in header
    needed = [names.image_and_class, names.mask] if original else [names.image, names.class_id, names.mask]
    for name in needed:
        if header.count(name) != 1:
            problem = "no column" if name not in header else f"{header.count(name)} columns"
            found = printable(", ".join(header)[:200]) or "nothing"
            raise ValueError(
                f"the header has {problem} {name!r} (it has: {found}); the first line must name "
                f"{names.image},{names.class_id},{names.mask} or {names.image_and_class},{names.mask}"
            )
    image, *class_id, mask = (header.index(name) for name in needed)
    return Columns(image, class_id[0] if class_id else None, mask, len(header))


def split_fields(line: str) -> list[str]:
    """Splits one line at its commas, heeding quotes.

    Raises:
        DataError: a quote is not closed in this line.
    """
    if '"' not in line:
        return line.split(",")
    if len(line) > csv.field_size_limit():
        # A bound of the whole process, 128 KiB at first: a long mask in quotes is above it.
        csv.field_size_limit(len(line))
    try:
        return next(csv.reader([line], strict=True))
    except csv.Error as error:
        raise DataError(
            Code.CSV_UNCLOSED_QUOTE,
            f"the quotes of the line do not match ({error}); a row must stand in one line, with its quotes closed",
        ) from error


def parse_row(line: bytes, columns: Columns, classes: Collection[int] = CLASS_IDS) -> DefectRow:
    """Parses one line.

    Args:
        line: without its end.
        columns: of the file that the line is from.
        classes: whose masks are packed; those of others are only checked.

    Raises:
        DataError: the line is not a row.
    """
    try:
        return _parse_fields(_decode_fields(line), columns, classes)
    except DataError as error:
        error.image_id, error.class_id = name_row(line, columns)
        raise


def name_row(line: bytes, columns: Columns) -> tuple[str, int | None]:
    """What a bad line says of its image, at most 80 characters, all printable, and of its class, as far as it does."""
    try:
        fields = split_fields(line.decode("utf-8", "replace"))
    except DataError:
        return "", None
    if len(fields) <= max(columns.image, columns.class_id or 0):
        return "", None
    image_id, class_text = _image_and_class(fields, columns)
    return printable(image_id[:_SHOWN_CHARACTERS]), _CLASSES.get(class_text)


def _decode_fields(line: bytes) -> list[str]:
    try:
        return split_fields(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise DataError(Code.CSV_NOT_UTF8, f"the line is not UTF-8 ({error}); save the file as UTF-8") from error


def _parse_fields(fields: Sequence[str], columns: Columns, classes: Collection[int]) -> DefectRow:
    _check_field_count(fields, columns)
    image_id, class_text = _image_and_class(fields, columns)
    _check_image_id(image_id, fields[columns.image])
    text = fields[columns.mask].strip()
    runs = None if text.lower() in _NO_MASK else parse_runs(text)
    class_id = _parse_class(class_text)
    return DefectRow(image_id, class_id, pack_runs(runs) if runs is not None and class_id in classes else None)


def _check_field_count(fields: Sequence[str], columns: Columns) -> None:
    if len(fields) != columns.fields:
        raise DataError(
            Code.CSV_FIELD_COUNT,
            f"the line has {len(fields)} fields, the header {columns.fields}; quote a field that contains a comma",
        )


def _image_and_class(fields: Sequence[str], columns: Columns) -> tuple[str, str]:
    image_id, class_text = fields[columns.image].strip(), ""
    if columns.class_id is None:
        image_id, _, class_text = image_id.rpartition("_")
    else:
        class_text = fields[columns.class_id].strip()
    return image_id, class_text


def _check_image_id(image_id: str, field: str) -> None:
    # A path could lead out of the image folder; nobody follows it.
    shown = repr(field[:_SHOWN_CHARACTERS])
    if len(image_id.encode()) > MAX_NAME_BYTES:
        problem = f"{shown}… does not name an image; no file name has more than {MAX_NAME_BYTES} bytes"
        raise DataError(Code.IMAGE_ID_INVALID, problem)
    if image_id in _NO_FILE_NAMES or _NOT_IN_FILE_NAMES.intersection(image_id):
        raise DataError(Code.IMAGE_ID_INVALID, f"{shown} does not name an image; it must be a file name, not a path")


def _parse_class(text: str) -> int:
    if text not in _CLASSES:
        raise DataError(Code.CLASS_INVALID, f"the class is {text[:40]!r}; it must be 1, 2, 3 or 4")
    return _CLASSES[text]


def split_lines(text: bytes) -> Iterator[bytes]:
    """Lines of a block without their ends, LF or CR LF; blank ones too."""
    for line in text.removesuffix(b"\n").split(b"\n"):
        yield line.removesuffix(b"\r")
