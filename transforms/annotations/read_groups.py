"""Reads the group of each image from a CSV file of its own."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

import apache_beam as beam

from maskmill.transforms.annotations.columns import SEPARATORS, header_names, split_fields
from maskmill.transforms.annotations.image_ids import file_named
from maskmill.transforms.annotations.parse_row import is_file_name, split_lines
from maskmill.transforms.annotations.records import ImageKey
from maskmill.transforms.files.read_write import read_bytes
from maskmill.transforms.files.signatures import kind_of
from maskmill.transforms.limits import MAX_NAME_BYTES
from maskmill.transforms.rejected import DataError
from maskmill.transforms.text import SHOWN_CHARACTERS, printable

IMAGE_COLUMN, GROUP_COLUMN = "ImageId", "group"
_HEADER_BYTES = 200
_MARK = "\ufeff".encode()


class GroupFileError(ValueError):
    """A file of groups is wrong; the message says where, and what to do."""


def parse_groups(text: bytes, path: str, image_suffix: str = "") -> dict[str, str]:
    """Parses a CSV file with the columns ImageId and group; others are ignored.

    Args:
        text: content of the file.
        path: of the file, for messages.
        image_suffix: see `file_named`.

    Returns:
        the group by the name of the file, as `file_named` gives it.

    Raises:
        GroupFileError: a line is wrong, or gives an image another group than an earlier line.
    """
    if kind := kind_of(text):
        raise GroupFileError(f"{path}: is {kind}, not a CSV file; give a CSV file with {_columns(',')}")
    lines = split_lines(text.removeprefix(_MARK))
    separator, header = _find_header(next(lines, b""), path)
    groups: dict[str, str] = {}
    first_lines: dict[str, int] = {}
    for number, line in enumerate(lines, start=2):
        if not line.strip():
            continue
        try:
            image_id, group = _parse_line(line, header, separator)
        except ValueError as error:  # a DataError among them
            raise GroupFileError(f"{path}:{number}: {error}") from error
        name = file_named(image_id, image_suffix)
        if groups.setdefault(name, group) != group:
            problem = f"{image_id} is in the group {group!r} here, and in {groups[name]!r} in line {first_lines[name]}"
            raise GroupFileError(f"{path}:{number}: {problem}; an image is in one group: remove one of the lines")
        first_lines.setdefault(name, number)
    return groups


def _columns(separator: str) -> str:
    return f"the columns {separator.join((IMAGE_COLUMN, GROUP_COLUMN))}"


def _find_header(line: bytes, path: str) -> tuple[str, Sequence[str]]:
    """Returns the separator, and the names of the columns."""
    text = line.decode("utf-8", "replace")
    for separator in SEPARATORS.values():
        try:
            header = header_names(text, separator)
        except DataError:
            continue
        if header.count(IMAGE_COLUMN) == header.count(GROUP_COLUMN) == 1:
            return separator, header
    found = printable(text[:_HEADER_BYTES]) or "nothing"
    raise GroupFileError(f"{path}:1: the first line must name {_columns(',')}, each once; it has: {found}")


def _parse_line(line: bytes, header: Sequence[str], separator: str) -> tuple[str, str]:
    """Returns the ImageId and the group of a line.

    Raises:
        ValueError: the line is wrong; the message says what, and what to do.
    """
    try:
        fields = split_fields(line.decode("utf-8"), separator)
    except UnicodeDecodeError as error:
        raise ValueError("the line is not UTF-8; save the file as UTF-8") from error
    if len(fields) != len(header):
        raise ValueError(f"the line has {len(fields)} fields, the header {len(header)}; correct the line")
    image_id, group = (fields[header.index(name)].strip() for name in (IMAGE_COLUMN, GROUP_COLUMN))
    if not is_file_name(image_id):
        raise ValueError(f"{image_id[:SHOWN_CHARACTERS]!r} is no file name; give the name of a file, not a path")
    if not 0 < len(group.encode()) <= MAX_NAME_BYTES:
        problem = f"the group of {image_id} is {group[:SHOWN_CHARACTERS]!r}"
        raise ValueError(f"{problem}; it must have from 1 to {MAX_NAME_BYTES} bytes")
    return image_id, group


def read_groups(path: str, image_suffix: str, folders: int) -> Iterator[tuple[ImageKey, str]]:
    """Yields the groups of a file for the images of each folder."""
    for name, group in parse_groups(read_bytes(path), path, image_suffix).items():
        for folder in range(folders):
            yield (folder, name), group


@dataclasses.dataclass(kw_only=True, eq=False)
class ReadGroups(beam.PTransform):
    """Reads a file of groups.

    Attributes:
        path: of the file; see `parse_groups`.
        image_suffix: see `file_named`.
        folders: number of tuples in `ListImages.folders`; the file counts for the images of all of them.
    """

    path: str
    image_suffix: str
    folders: int

    def expand(self, pipeline: beam.Pipeline) -> beam.PCollection[tuple[ImageKey, str]]:
        return (
            pipeline
            | "File" >> beam.Create([self.path], reshuffle=False)
            | "ReadFile"
            >> beam.FlatMap(read_groups, self.image_suffix, self.folders).with_output_types(tuple[ImageKey, str])
        )
