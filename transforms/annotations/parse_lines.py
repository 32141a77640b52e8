"""Parses the lines of a block, in this process or in one of a pool.

Like `parse_row`, this module does not import Beam, so that such a process starts quickly and stays small.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from maskmill.transforms.annotations.columns import Columns
from maskmill.transforms.annotations.parse_row import DefectRow, name_row, parse_row, split_lines
from maskmill.transforms.limits import MAX_LINE_BYTES
from maskmill.transforms.rejected import Code, DataError

# Index of a line in its block, and its row or what is wrong with it.
ParsedLine = tuple[int, DefectRow | DataError]

# Only so much of a line that is too long is parsed for its image and class.
_NAMING_BYTES = 2**10


def parse_lines(
    text: bytes, columns: Columns, classes: Collection[int] | None, *, has_header: bool
) -> Iterator[ParsedLine]:
    """Parses the lines of a block.

    Args:
        text: the lines.
        columns: of their file.
        classes: numbers of the classes whose masks are kept; None keeps all.
        has_header: whether the first line is the header of the file.

    Yields:
        each line that is neither the header nor blank.
    """
    for number, line in enumerate(split_lines(text)):
        too_long = len(line) > MAX_LINE_BYTES
        if (has_header and number == 0) or not (too_long or line.strip()):
            continue
        try:
            yield number, _long_line_error(line, columns) if too_long else parse_row(line, columns, classes)
        except DataError as error:
            yield number, error


def list_lines(text: bytes, columns: Columns, classes: Collection[int] | None, *, has_header: bool) -> list[ParsedLine]:
    """Does the same as `parse_lines`, for a pool: a process of it returns all lines at once."""
    return list(parse_lines(text, columns, classes, has_header=has_header))


def _long_line_error(line: bytes, columns: Columns) -> DataError:
    message = f"the line has more than {MAX_LINE_BYTES} bytes; no row is that long: correct or remove it"
    # The last field may be cut off.
    separator = columns.format.separator.encode()
    image_id, class_id = name_row(line[:_NAMING_BYTES].rpartition(separator)[0], columns)
    return DataError(Code.CSV_LINE_TOO_LONG, message, image_id, class_id)
