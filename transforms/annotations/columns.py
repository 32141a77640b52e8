"""Finds the columns in the header of a CSV file, and splits lines into fields."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from typing import NamedTuple

from maskmill.transforms.examples.mask_text import RunFormat
from maskmill.transforms.rejected import Code, DataError
from maskmill.transforms.text import printable

CLASSES = ("1", "2", "3", "4")

# What may separate the fields of a line, by the word for it.
SEPARATORS = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}


class RowFormat(NamedTuple):
    """The layout of a dataset's rows.

    Attributes:
        image: name of the column with the image.
        class_id: name of the column with the class; None if there is none: then all rows are of the first class.
        mask: name of the column with the runs.
        classes: names of the classes, as in the rows; the number of a class is its index here plus 1.
        image_suffix: appended to an image's name in a row, it gives the name of the file.
        group: name of the column with the group; None if groups are not read.
        runs: convention of the masks.
        separator: between the fields of a line.
    """

    image: str = "ImageId"
    class_id: str | None = "ClassId"
    mask: str = "EncodedPixels"
    classes: tuple[str, ...] = CLASSES
    image_suffix: str = ""
    group: str | None = None
    runs: RunFormat = RunFormat()
    separator: str = ","

    @property
    def names(self) -> list[str]:
        """Names of the required columns."""
        return [name for name in (self.image, self.class_id, self.mask, self.group) if name is not None]

    @property
    def image_and_class(self) -> str:
        """Name of the joint column in the competition's layout, `ImageId_ClassId`; "" if rows have no class."""
        return f"{self.image}_{self.class_id}" if self.class_id else ""

    @property
    def layouts(self) -> list[list[str]]:
        """Names of the required columns in each layout."""
        return [self.names, [self.image_and_class, *self.names[2:]]] if self.class_id else [self.names]


class Columns(NamedTuple):
    """The columns of a CSV file.

    Attributes:
        image: index of the column with the image, or with image and class.
        class_id: index of the column with the class; equal to `image` in the competition's layout; None if there is
            none.
        mask: index of the column with the runs.
        group: index of the column with the group; None if groups are not read.
        fields: number of columns.
        format: names that the columns were found by.
    """

    image: int
    class_id: int | None
    mask: int
    group: int | None
    fields: int
    format: RowFormat


def parse_header(line: str, form: RowFormat) -> Columns:
    """Finds the columns in a header of either layout.

    Args:
        line: first line of the file, without its end; a byte order mark is ignored.
        form: names the columns.

    Raises:
        ValueError: a column is missing or occurs twice; the message says which.
    """
    header = header_names(line, form.separator)
    original = bool(form.class_id) and form.image_and_class in header and form.class_id not in header
    image = form.image_and_class if original else form.image
    class_id = image if original else form.class_id
    indices = {name: _find_column(name, header, form) for name in (image, class_id, form.mask, form.group) if name}
    return Columns(
        indices[image],
        indices[class_id] if class_id else None,
        indices[form.mask],
        indices[form.group] if form.group else None,
        len(header),
        form,
    )


def header_names(line: str, separator: str) -> list[str]:
    """Splits a header into the names of its columns, without byte order marks and surrounding blanks."""
    return [name.strip() for name in split_fields(line.replace("\ufeff", ""), separator)]


def _find_column(name: str, header: Sequence[str], form: RowFormat) -> int:
    if header.count(name) == 1:
        return header.index(name)
    problem = "no column" if name not in header else f"{header.count(name)} columns"
    found = printable(", ".join(header)[:200]) or "nothing"
    layouts = " or ".join(form.separator.join(names) for names in form.layouts)
    raise ValueError(f"the header has {problem} {name!r} (it has: {found}); the first line must name {layouts}")


def split_fields(line: str, separator: str = ",") -> list[str]:
    """Splits a line at its separators, respecting quotes.

    Raises:
        DataError: a quote is not closed in this line.
    """
    if '"' not in line:
        return line.split(separator)
    if len(line) > csv.field_size_limit():
        # The limit, 128 KiB by default, holds for the whole process; a quoted mask may be longer.
        csv.field_size_limit(len(line))
    try:
        return next(csv.reader([line], delimiter=separator, strict=True))
    except csv.Error as error:
        raise DataError(
            Code.CSV_UNCLOSED_QUOTE,
            f"the quotes of the line do not match ({error}); a row must stand in one line, with its quotes closed",
        ) from error
