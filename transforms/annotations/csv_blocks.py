"""Splits CSV files into blocks of lines that are read in parallel, without ever holding a line that is too long."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from maskmill.transforms.annotations.columns import Columns
from maskmill.transforms.annotations.compression import Compression, open_csv
from maskmill.transforms.limits import MAX_ELEMENT_BYTES, MAX_LINE_BYTES

_USUAL_LINE_BYTES = 2**14
_PIECE_BYTES = 2**20


class CsvFile(NamedTuple):
    """A CSV file of annotations.

    Attributes:
        path: accepted by Beam's `FileSystems`.
        size: in bytes, as stored.
        columns: from its header.
        sources: the sources that it is part of: (index in `ReadAnnotations.sources`, index of the file in the source).
        compression: of the file as stored; None if it is not compressed.
    """

    path: str
    size: int
    columns: Columns
    sources: tuple[tuple[int, int], ...]
    compression: Compression | None = None


class Block(NamedTuple):
    """Consecutive lines of a CSV file.

    Attributes:
        file: holds the lines.
        start: offset of the first line, in bytes (of the decompressed file).
        stop: lines that begin at or after this offset belong to the next blocks.
        deflated: the lines themselves, deflated, if the file is compressed and cannot be read from the middle; None if
            it can, or if a very long line makes them too large for a shuffle.
    """

    file: CsvFile
    start: int
    stop: int
    deflated: bytes | None


def split_into_blocks(file: CsvFile, block_bytes: int) -> Iterator[Block]:
    """Splits a CSV file into blocks.

    Args:
        file: compressed or not.
        block_bytes: size of a block; its last line may make it longer, by at most `MAX_LINE_BYTES`.

    Yields:
        blocks in the order of the file; with their lines if the file is compressed, because it reads only from its
        start.

    Raises:
        OSError: the file cannot be read, or a compressed one is damaged.
    """
    if file.compression is None:
        for start in range(0, file.size, block_bytes):
            yield Block(file, start, min(start + block_bytes, file.size), None)
        return
    start = 0
    with open_csv(file.path, file.size, file.compression) as stream:
        while text := stream.read(block_bytes):
            text, whole = _complete(text, stream)
            if not whole:
                _skip_line(stream)
            deflated = zlib.compress(text, 1)
            small = len(deflated) <= MAX_ELEMENT_BYTES
            yield Block(file, start, start + block_bytes, deflated if small else None)
            start = stream.tell()


def _complete(text: bytes, file: BinaryIO) -> tuple[bytes, bool]:
    """Reads the rest of a text's last line from its file.

    Returns:
        the text, and whether its last line is complete: a line that is too long is read only far enough to show it.
    """
    line = len(text) - (text.rfind(b"\n") + 1)
    if line:
        # Two bytes more: a truncated line must be too long even if its last byte is the CR of a line end.
        text += file.readline(max(MAX_LINE_BYTES + 2 - line, 0))
    whole = not text or text.endswith(b"\n")
    # The added end counts for the numbers of later lines, and does no harm if there are none.
    return (text, True) if whole else (text + b"\n", False)


def _skip_line(file: BinaryIO) -> None:
    """Reads to the end of a line, in pieces."""
    while (piece := file.readline(_PIECE_BYTES)) and not piece.endswith(b"\n"):
        pass


def read_block(block: Block) -> bytes:
    """Reads the lines that begin in a block, with their ends; a line that is too long only far enough to show it."""
    if block.deflated is not None:
        return zlib.decompress(block.deflated)
    path, size, _, _, compression = block.file
    length = block.stop - block.start
    # Usually one request also reads the rest of the last line.
    with open_csv(path, size, compression, length + _USUAL_LINE_BYTES) as file:
        if compression:
            # Each of its blocks begins with a line.
            file.seek(block.start)
            text = file.read(length)
        elif block.start == 0:
            text = file.read(length)
        else:
            # A line that begins before the block belongs to an earlier one, even if it ends just before this one. It
            # may be longer than the block: its end is searched only within the block.
            file.seek(block.start - 1)
            _, _, text = file.read(length + 1).partition(b"\n")
        return _complete(text, file)[0]
