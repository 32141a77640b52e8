"""Looks at CSV files before any work: what they are, how they are compressed, and where their columns are."""

from __future__ import annotations

from maskmill.transforms.annotations.columns import RowFormat, parse_header
from maskmill.transforms.annotations.compression import Compression, CsvFileError, compression_of, open_csv
from maskmill.transforms.annotations.csv_blocks import CsvFile, read_block, split_into_blocks
from maskmill.transforms.annotations.explain_content import explain_content
from maskmill.transforms.annotations.explain_header import explain_header
from maskmill.transforms.files.errors import as_os_error

_HEAD_BYTES = 2**16


def inspect_csv(path: str, size: int, form: RowFormat, sources: tuple[tuple[int, int], ...]) -> CsvFile:
    """Reads the beginning of a CSV file.

    Args:
        path: of the file, on any file system.
        size: in bytes, as stored.
        form: names the columns.
        sources: see `CsvFile`.

    Raises:
        CsvFileError: the file is none that can be read, or its first line does not name the columns.
        OSError: the file cannot be read.
    """
    head, compression = _read_head(path, size)
    # Commands that rewrite a file do not suit a compressed one.
    rewritable = "" if compression else path
    if problem := explain_content(head, rewritable):
        raise CsvFileError(f"{path}: {f'holds a file that {problem}' if compression else problem}")
    line, *rest = head.split(b"\n", 1)
    text = line.decode("utf-8", "replace").rstrip("\r")
    if not rest and len(line) == _HEAD_BYTES and "\r" not in text:
        raise CsvFileError(f"{path}:1: the first line is longer than {_HEAD_BYTES} bytes; it must name the columns")
    try:
        columns = parse_header(text, form)
    except ValueError as error:
        explained = explain_header(head.decode("utf-8", "replace"), form, rewritable)
        raise CsvFileError(f"{path}:1: {explained}") from error
    return CsvFile(path, size, columns, sources, compression)


def _read_head(path: str, size: int) -> tuple[bytes, Compression | None]:
    """Returns the first bytes of the text, and how it is compressed."""
    with as_os_error(path), open_csv(path, size, None, _HEAD_BYTES) as file:
        head = file.read(_HEAD_BYTES)
    compression = compression_of(head)
    if compression is None:
        return head, None
    with as_os_error(path), open_csv(path, size, compression) as file:
        head = file.read(_HEAD_BYTES)
    if within := compression_of(head):
        raise CsvFileError(f"{path}: is a {within.value} file within a {compression.value} file; unpack it once")
    return head, compression


def has_rows(file: CsvFile) -> bool:
    """Returns whether a line after the header of a CSV file is not blank."""
    for block in split_into_blocks(file, _HEAD_BYTES):
        lines = read_block(block)
        if (lines if block.start else lines.partition(b"\n")[2]).strip():
            return True
    return False
