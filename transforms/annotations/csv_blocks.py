"""CSV files to blocks of lines: what can be read in parallel, without ever holding a line that is too long."""

from __future__ import annotations

import contextlib
import gzip
import zlib
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple, cast

from maskmill.transforms.annotations.columns import Columns, RowFormat, parse_header
from maskmill.transforms.files.errors import as_os_error
from maskmill.transforms.files.read_write import open_read
from maskmill.transforms.limits import MAX_ELEMENT_BYTES

# What is longer is no row. Nobody holds such a line whole.
MAX_LINE_BYTES = 2**24
_LONGEST_HEADER = 2**16
_USUAL_LINE_BYTES = 2**14
_PIECE_BYTES = 2**20


class DamagedFileError(OSError):
    """A file can be read, but what it holds is damaged."""


class CsvFile(NamedTuple):
    """A CSV file of annotations.

    Attributes:
        path: of the file.
        size: in bytes, as stored.
        columns: where its columns stand.
        uses: the annotations that it is part of, and its rank in each: (index in `ReadAnnotations.sources`, rank).
    """

    path: str
    size: int
    columns: Columns
    uses: tuple[tuple[int, int], ...]


class Block(NamedTuple):
    """Lines of a CSV file.

    Attributes:
        file: the file.
        start: offset of the first line, in bytes (of the decompressed file).
        stop: lines that begin at this offset or after it are another block's.
        deflated: the lines themselves, deflated, where the file cannot be read from its middle; else None, as where
            they are too large for a shuffle even so, because of a line that is very long.
    """

    file: CsvFile
    start: int
    stop: int
    deflated: bytes | None


def is_compressed(path: str) -> bool:
    """Whether a file's name says that it is compressed."""
    return path.endswith(".gz")


@contextlib.contextmanager
def _open_compressed(path: str) -> Iterator[BinaryIO]:
    """Opens a gzip file. Not by Beam, which takes one that is cut off for a shorter one.

    Raises:
        DamagedFileError: the file is damaged, or is not a gzip file.
        OSError: it cannot be read.
    """
    try:
        with open_read(path) as file, gzip.GzipFile(fileobj=file) as stream:
            yield cast(BinaryIO, stream)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        problem = f"{path}: the compressed file is damaged ({error})"
        raise DamagedFileError(f"{problem}; copy it again from its source") from error


def read_header(path: str, form: RowFormat) -> Columns:
    """Reads the first line of a CSV file.

    Raises:
        ValueError: the line does not name the columns.
        DamagedFileError: a compressed file is damaged.
        OSError: the file cannot be read.
    """
    with as_os_error(path), _open_compressed(path) if is_compressed(path) else open_read(path, _LONGEST_HEADER) as file:
        line, *rest = file.read(_LONGEST_HEADER).split(b"\n", 1)
    if not rest and len(line) == _LONGEST_HEADER:
        raise ValueError(f"the first line is longer than {_LONGEST_HEADER} bytes; it must name the columns")
    try:
        return parse_header(line.decode("utf-8").rstrip("\r"), form)
    except UnicodeDecodeError as error:
        raise ValueError(f"the header is not UTF-8 ({error}); save the file as UTF-8") from error


def split_into_blocks(file: CsvFile, block_bytes: int) -> Iterator[Block]:
    """Cuts a CSV file into blocks.

    Args:
        file: to be cut.
        block_bytes: size of a block; a line longer than that makes its block longer, by `MAX_LINE_BYTES` at most.

    Yields:
        blocks in the order of the file; of a compressed file, which only reads from its start, with their text.

    Raises:
        OSError: the file cannot be read, or a compressed one is damaged.
    """
    if not is_compressed(file.path):
        for start in range(0, file.size, block_bytes):
            yield Block(file, start, min(start + block_bytes, file.size), None)
        return
    start = 0
    with _open_compressed(file.path) as stream:
        while text := stream.read(block_bytes):
            text, whole = _complete(text, stream)
            if not whole:
                _skip_line(stream)
            deflated = zlib.compress(text, 1)
            small = len(deflated) <= MAX_ELEMENT_BYTES
            yield Block(file, start, start + block_bytes, deflated if small else None)
            start = stream.tell()


def _complete(text: bytes, file: BinaryIO) -> tuple[bytes, bool]:
    """Ends the last line of a text with what follows in its file.

    Returns:
        the text, and whether its last line is whole: of one that is too long only as much is read as shows that.
    """
    line = len(text) - (text.rfind(b"\n") + 1)
    if line:
        # Two bytes more, so that what is cut off is too long also where the last byte could be the CR of an end.
        text += file.readline(max(MAX_LINE_BYTES + 2 - line, 0))
    whole = not text or text.endswith(b"\n")
    # The end is counted for the numbers of the lines behind it, and does no harm where there are none.
    return (text, True) if whole else (text + b"\n", False)


def _skip_line(file: BinaryIO) -> None:
    """Reads to the end of a line, holding a piece of it at a time."""
    while (piece := file.readline(_PIECE_BYTES)) and not piece.endswith(b"\n"):
        pass


def read_block(block: Block) -> bytes:
    """The lines that begin in a block, each with its end; of one that is too long, only as much as shows that."""
    if block.deflated is not None:
        return zlib.decompress(block.deflated)
    if is_compressed(block.file.path):
        with _open_compressed(block.file.path) as stream:
            stream.seek(block.start)
            return _complete(stream.read(block.stop - block.start), stream)[0]
    # Together with the rest of its last line, mostly.
    with open_read(block.file.path, block.stop - block.start + _USUAL_LINE_BYTES) as file:
        if block.start == 0:
            text = file.read(block.stop)
        else:
            # The line that begins before the block is another block's, also where it ends just before it. It may be
            # longer than the block: its end is looked for in the block only.
            file.seek(block.start - 1)
            _, _, text = file.read(block.stop - block.start + 1).partition(b"\n")
        return _complete(text, file)[0]
