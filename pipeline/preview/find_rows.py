"""Finds the rows of one image in CSV files, in this process."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator

from maskmill.transforms.annotations.csv_blocks import CsvFile, read_block, split_into_blocks
from maskmill.transforms.annotations.parse_row import DefectRow
from maskmill.transforms.annotations.read_annotations import BLOCK_BYTES, parse_block
from maskmill.transforms.annotations.records import MaskRow
from maskmill.transforms.examples.rle import EMPTY_RUNS
from maskmill.transforms.rejected import DataError, Line
from maskmill.transforms.text import SHOWN_CHARACTERS, printable


@dataclasses.dataclass
class FoundRows:
    """The rows of one image.

    Attributes:
        image_id: file name of the image; "" if no row has a mask, and none was asked for.
        listed: whether a row names it.
        masks: its rows with a mask, which may be empty (-1).
        bad: number of bad rows, of any image.
        first_bad: what is wrong with the first of them, with its file and line.
    """

    image_id: str
    listed: bool = False
    masks: list[MaskRow] = dataclasses.field(default_factory=list)
    bad: int = 0
    first_bad: str = ""


def find_rows(files: Iterable[CsvFile], image_id: str) -> FoundRows:
    """Reads CSV files to their end, and keeps the rows of one image.

    Args:
        files: the CSV files.
        image_id: file name of the image; "" for the first one that has a mask.

    Raises:
        OSError: a file cannot be read.
    """
    found = FoundRows(image_id)
    for number, line, row in _numbered_rows(files):
        if isinstance(row, DataError):
            found.bad += 1
            if not found.first_bad:
                name = printable(row.image_id[:SHOWN_CHARACTERS])
                found.first_bad = f"{line.path}:{number}: {name + ': ' if name else ''}{row.message} ({row.code.value})"
            continue
        if not found.image_id and row.runs not in (None, EMPTY_RUNS):
            found.image_id = row.image_id
        if row.image_id == found.image_id:
            found.listed = True
            if row.runs is not None:
                found.masks.append(MaskRow(line, row.class_id, row.runs))
    return found


def _numbered_rows(files: Iterable[CsvFile]) -> Iterator[tuple[int, Line, DefectRow | DataError]]:
    """Yields all rows with the numbers of their lines, from 1."""
    for file in files:
        lines = 1
        for block in split_into_blocks(file, BLOCK_BYTES):
            text = read_block(block)
            for line, row in parse_block(block, text):
                yield lines + line.line, line, row
            lines += text.count(b"\n")
