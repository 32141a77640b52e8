"""The header of a CSV file: where its columns stand, and how a line is cut into fields."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from typing import NamedTuple

from maskmill.transforms.rejected import Code, DataError
from maskmill.transforms.text import printable

CLASSES = ("1", "2", "3", "4")


class RowFormat(NamedTuple):
    """What the rows of a dataset look like.

    Attributes:
        image: name of the column of the image.
        class_id: name of that of the class; None where rows have none, and are all of the first.
        mask: name of that of the runs.
        classes: names of the classes, as they stand in the rows; a class is known by its number in this list, from 1.
        image_suffix: what is added to an image's name in the row to make that of its file.
        group: name of the column of the group; None where it is not asked for.
    """

    image: str = "ImageId"
    class_id: str | None = "ClassId"
    mask: str = "EncodedPixels"
    classes: tuple[str, ...] = CLASSES
    image_suffix: str = ""
    group: str | None = None

    @property
    def names(self) -> list[str]:
        """Names of the columns that are needed."""
        return [name for name in (self.image, self.class_id, self.mask, self.group) if name is not None]

    @property
    def image_and_class(self) -> str:
        """The one column of the competition's original layout, `ImageId_ClassId`; "" where rows have no class."""
        return f"{self.image}_{self.class_id}" if self.class_id else ""


class Columns(NamedTuple):
    """Where the columns of a CSV file stand.

    Attributes:
        image: index of the column with the image, or with image and class.
        class_id: index of the column with the class, in the original layout that of the image; None for no column.
        mask: index of the column with the runs.
        group: index of the column with the group; None where it is not asked for.
        fields: number of columns.
        format: of the rows.
    """

    image: int
    class_id: int | None
    mask: int
    group: int | None
    fields: int
    format: RowFormat


def parse_header(line: str, form: RowFormat) -> Columns:
    """Finds the columns in a header, in either layout.

    Args:
        line: the first line of the file, without its end; a byte order mark is ignored.
        form: of the rows.

    Returns:
        the columns' places.

    Raises:
        ValueError: a column is missing or stands twice; the message says which.
    """
    header = [name.strip() for name in split_fields(line.removeprefix("\ufeff"))]
    original = form.image_and_class in header and form.class_id not in header
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


def _find_column(name: str, header: Sequence[str], form: RowFormat) -> int:
    if header.count(name) == 1:
        return header.index(name)
    problem = "no column" if name not in header else f"{header.count(name)} columns"
    found = printable(", ".join(header)[:200]) or "nothing"
    joined = [form.image_and_class, *form.names[2:]] if form.class_id else []
    layouts = " or ".join(",".join(names) for names in (form.names, joined) if names)
    raise ValueError(f"the header has {problem} {name!r} (it has: {found}); the first line must name {layouts}")


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
