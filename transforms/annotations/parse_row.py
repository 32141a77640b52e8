"""Parses and checks the lines of CSV files."""

from __future__ import annotations

import functools
import re
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from maskmill.transforms.annotations.columns import SEPARATORS, Columns, split_fields
from maskmill.transforms.annotations.records import NO_CLASS
from maskmill.transforms.annotations.spreadsheets import SHORTEST_CUT, check_not_cut_off, explain_number
from maskmill.transforms.examples.mask_text import RunFormat, parse_runs
from maskmill.transforms.examples.rle import Runs, have_overlaps, pack_runs
from maskmill.transforms.limits import MAX_NAME_BYTES
from maskmill.transforms.rejected import Code, DataError
from maskmill.transforms.text import SHOWN_CHARACTERS, printable

_DECIMAL = re.compile(r"(\d+)\.0*")
_NO_MASK = frozenset({"", "nan"})
# What stands for no class, where it is not the name of one, in the row of an image without a defect.
_NO_CLASS = frozenset({"", "nan", "none", "null", "na", "n/a", "<na>", "-", "0", "0.0", "-1", "-1.0", "background"})
_MARK = "\ufeff".encode()
_NO_FILE_NAMES = frozenset({"", ".", ".."})
_NOT_IN_FILE_NAMES = frozenset("/\\\0")


class DefectRow(NamedTuple):
    """A line of the CSV, parsed.

    Attributes:
        image_id: file name of the image.
        class_id: number of the class, from 1; `NO_CLASS` in the row of an image without a defect.
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
        return _parse_fields(_decode_fields(line, columns), columns, classes)
    except DataError as error:
        unmarked = line.removeprefix(_MARK)
        if _repeats_header(unmarked, columns):
            raise _joined_files("repeats the header") from error
        error.image_id, error.class_id = name_row(unmarked, columns)
        raise


def name_row(line: bytes, columns: Columns) -> tuple[str, int | None]:
    """Returns the ImageId and class number of a bad line, as far as it names them; otherwise "" and None."""
    try:
        fields = split_fields(line.decode("utf-8", "replace"), columns.format.separator)
    except DataError:
        return "", None
    if len(fields) <= max(columns.image, columns.class_id or 0):
        return "", None
    image_id, class_text = _image_and_class(fields, columns)
    return image_id, _class_number(class_text, columns)


def _repeats_header(line: bytes, columns: Columns) -> bool:
    """Returns whether a line names the columns, in whatever order."""
    form = columns.format
    try:
        names = {name.strip() for name in split_fields(line.decode("utf-8", "replace"), form.separator)}
    except DataError:
        return False
    return any(names.issuperset(layout) for layout in form.layouts)


def _joined_files(problem: str) -> DataError:
    mend = "remove it, or list the files one by one in maskmill.csv"
    return DataError(Code.CSV_FILES_JOINED, f"the line {problem}: several files were put into one; {mend}")


def is_file_name(image_id: str) -> bool:
    """Returns whether an ImageId is a valid file name. A path is not: it could lead out of the image folder."""
    if len(image_id.encode()) > MAX_NAME_BYTES:
        return False
    return image_id not in _NO_FILE_NAMES and not _NOT_IN_FILE_NAMES.intersection(image_id)


def _decode_fields(line: bytes, columns: Columns) -> list[str]:
    if line.startswith(_MARK):
        raise _joined_files("begins with a byte order mark")
    try:
        return split_fields(line.decode("utf-8"), columns.format.separator)
    except UnicodeDecodeError as error:
        guess = line[max(error.start - 20, 0) : error.end + 20].decode("cp1252", "replace")
        raise DataError(
            Code.CSV_NOT_UTF8,
            f"the line is not UTF-8 ({error}), but perhaps Windows-1252 ({printable(guess)}); save the file as UTF-8",
        ) from error


def _parse_fields(fields: Sequence[str], columns: Columns, classes: Collection[int] | None) -> DefectRow:
    if len(fields) != columns.fields:
        raise DataError(Code.CSV_FIELD_COUNT, _explain_count(fields, columns))
    image_id, class_text = _image_and_class(fields, columns)
    if not is_file_name(image_id):
        raise DataError(Code.IMAGE_ID_INVALID, _explain_image_id(image_id, fields[columns.image], columns))
    runs = _parse_mask(fields[columns.mask], columns.format.runs)
    class_id = _class_number(class_text, columns)
    if class_id is None:
        class_id = _parse_no_class(class_text, columns, has_runs=runs is not None and runs.size > 0)
    group = _parse_group(fields, columns)
    kept = classes is None or class_id in classes or class_id == NO_CLASS
    if runs is None or not kept:
        return DefectRow(image_id, class_id, None, group)
    return DefectRow(image_id, class_id, pack_runs(runs), group, have_overlaps(runs))


def _explain_count(fields: Sequence[str], columns: Columns) -> str:
    """Says why a line has more or fewer fields than the header."""
    separator = columns.format.separator
    word, *others = sorted(SEPARATORS, key=lambda one: SEPARATORS[one] != separator)
    line = separator.join(fields)
    mend = f"quote a field that contains a {word}" if len(fields) > columns.fields else "complete the line"
    if "\r" in line:
        mend = "it holds the end of a line of old programs (CR alone); save the file with LF"
    elif "\0" in line:
        mend = "it holds zero bytes, as a damaged file does; copy the file again from its source"
    elif len(fields) == 1 and separator in line:
        mend = "the whole line is in quotes, as one field; remove them"
    elif found := [other for other in others if line.count(SEPARATORS[other]) + 1 == columns.fields > 1]:
        mend = f"it is separated by {found[0]}s; separate its fields with {word}s, as in the header"
    return f"the line has {len(fields)} fields, the header {columns.fields}; {mend}"


def _image_and_class(fields: Sequence[str], columns: Columns) -> tuple[str, str]:
    image_id, class_text = fields[columns.image].strip(), ""
    if columns.class_id is None:
        class_text = columns.format.classes[0]
    elif columns.class_id == columns.image:
        image_id, class_text = _split_joined(image_id, columns.format.classes)
    else:
        class_text = fields[columns.class_id].strip()
    # The suffix alone is no name.
    return image_id and image_id + columns.format.image_suffix, class_text


def _split_joined(text: str, classes: tuple[str, ...]) -> tuple[str, str]:
    """Splits a field such as `0002cc93b.jpg_1`: it ends in the name of a class, the longest that leaves an image."""
    suffixes = _longest_first(classes)
    for suffix in suffixes:
        if text.endswith(suffix) and text != suffix:
            return text[: -len(suffix)], suffix[1:]
    if text in suffixes:
        return "", text[1:]
    image_id, _, class_text = text.rpartition("_")
    return image_id, class_text


@functools.cache
def _longest_first(classes: tuple[str, ...]) -> list[str]:
    """Returns what joined fields may end in."""
    return [f"_{name}" for name in sorted(classes, key=len, reverse=True)]


def _parse_mask(field: str, form: RunFormat) -> Runs | None:
    """Parses the field of a mask; returns None if there is none."""
    text = field.strip()
    if text.lower() in _NO_MASK:
        return None
    if len(field) >= SHORTEST_CUT:
        check_not_cut_off(field)
    try:
        return parse_runs(text, form)
    except DataError as error:
        if cause := explain_number(text) if error.code is Code.RLE_NOT_NUMBERS else "":
            raise DataError(error.code, f"{error.message}; {cause}") from error
        raise


def _explain_image_id(image_id: str, field: str, columns: Columns) -> str:
    """Says why a field does not name an image."""
    shown = repr(field[:SHOWN_CHARACTERS])
    if len(image_id.encode()) > MAX_NAME_BYTES:
        return f"{shown}… does not name an image; no file name has more than {MAX_NAME_BYTES} bytes"
    if not image_id and columns.class_id == columns.image and field.strip():
        return f"{shown} does not name an image and, after a _, its class; write both, as in the header"
    return f"{shown} does not name an image; it must be a file name, not a path"


def _class_number(text: str, columns: Columns) -> int | None:
    classes = columns.format.classes
    # A table that is saved from memory has 3.0 for 3 if any field of the column is empty.
    if text not in classes and (decimal := _DECIMAL.fullmatch(text)):
        text = decimal[1]
    return classes.index(text) + 1 if text in classes else None


def _parse_no_class(text: str, columns: Columns, *, has_runs: bool) -> int:
    """Returns `NO_CLASS` if a text that is not the name of a class may stand for none."""
    stands_for_none = text.lower() in _NO_CLASS
    if stands_for_none and not has_runs:
        return NO_CLASS
    *others, last = columns.format.classes
    problem = f"the class is {text[:SHOWN_CHARACTERS]!r}{' and the row has a mask' if stands_for_none else ''}"
    mend = f"it must be {', '.join(others)} or {last}" if others else f"it must be {last}"
    raise DataError(Code.CLASS_INVALID, f"{problem}; {mend}")


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
