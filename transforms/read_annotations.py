"""CSV files to rows, in parallel blocks."""

from __future__ import annotations

import contextlib
import dataclasses
import gzip
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO, NamedTuple, cast

import apache_beam as beam
from apache_beam.metrics import Metrics

from transforms.example import MaskRow
from transforms.files import open_read
from transforms.rejected import DataError, Line, Rejected
from transforms.rows import ColumnNames, Columns, DefectRow, parse_header, parse_row, split_lines

# Small enough to cross a shuffle where a compressed file makes it necessary.
BLOCK_BYTES = 2**19
_LONGEST_HEADER = 2**16


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


class Source(NamedTuple):
    """Annotations with the folder of their images.

    Attributes:
        folder: index of the image folder in `ListImages.folders`.
        class_ids: classes whose rows are wanted.
    """

    folder: int
    class_ids: frozenset[int]


class Block(NamedTuple):
    """Lines of a CSV file.

    Attributes:
        file: the file.
        start: offset of the first line, in bytes (of the decompressed file).
        stop: lines that begin at this offset or after it are another block's.
        text: the lines themselves, where the file cannot be read from its middle; else None.
    """

    file: CsvFile
    start: int
    stop: int
    text: bytes | None


class AnnotationRow(NamedTuple):
    """A row of interest.

    Attributes:
        source: index in `ReadAnnotations.sources`.
        rank: of the row's file among the source's.
        class_id: 1 to 4.
        mask: the row's line and runs.
    """

    source: int
    rank: int
    class_id: int
    mask: MaskRow


ImageKey = tuple[int, str]  # folder, ImageId


def is_compressed(path: str) -> bool:
    """Whether a file's name says that it is compressed."""
    return path.endswith(".gz")


@contextlib.contextmanager
def _open_compressed(path: str) -> Iterator[BinaryIO]:
    """Opens a gzip file. Not by Beam, which takes one that is cut off for a shorter one.

    Raises:
        OSError: the file is damaged, or is not a gzip file.
    """
    try:
        with open_read(path) as file, gzip.GzipFile(fileobj=file) as stream:
            yield cast(BinaryIO, stream)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise OSError(f"{path}: the compressed file is damaged ({error}); copy it again from its source") from error


def read_header(path: str, names: ColumnNames) -> Columns:
    """Reads the first line of a CSV file.

    Raises:
        ValueError: the line does not name the columns.
        OSError: the file cannot be read.
    """
    with _open_compressed(path) if is_compressed(path) else open_read(path) as file:
        line = file.read(_LONGEST_HEADER).split(b"\n", 1)[0]
    try:
        return parse_header(line.decode("utf-8").rstrip("\r"), names)
    except UnicodeDecodeError as error:
        raise ValueError(f"the header is not UTF-8 ({error}); save the file as UTF-8") from error


def split_into_blocks(file: CsvFile, block_bytes: int) -> Iterator[Block]:
    """Cuts a CSV file into blocks.

    Args:
        file: to be cut.
        block_bytes: size of a block; a line longer than that makes its block longer.

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
            text += stream.readline()
            yield Block(file, start, start + len(text), text)
            start += len(text)


def read_block(block: Block) -> bytes:
    """The lines that begin in a block, whole."""
    if block.text is not None:
        return block.text
    with open_read(block.file.path) as file:
        if block.start > 0:
            # The line that begins before the block is another block's, also where it ends just before it.
            file.seek(block.start - 1)
            skipped = len(file.readline()) - 1
        else:
            skipped = 0
        length = block.stop - block.start - skipped
        text = file.read(length) if length > 0 else b""
        return text if not text or text.endswith(b"\n") else text + file.readline()


def parse_block(block: Block, text: bytes) -> Iterator[tuple[Line, DefectRow | DataError]]:
    """Rows of a block, with their lines.

    Args:
        block: where the text is from.
        text: the block's lines.

    Yields:
        for each line that is neither the header nor blank: where it stands, and what it says or what is wrong.
    """
    for number, line in enumerate(split_lines(text)):
        if (block.start == 0 and number == 0) or not line.strip():
            continue
        place = Line(block.file.path, block.start, number)
        try:
            yield place, parse_row(line, block.file.columns)
        except DataError as error:
            yield place, error


class ReadRows(beam.DoFn):
    """Reads a block; see `ReadAnnotations` for the outputs."""

    def __init__(self, sources: tuple[Source, ...]) -> None:
        self.sources = sources
        self.read_rows = Metrics.counter("steelbeam", "read-rows")

    def process(self, block: Block) -> Iterable[Any]:
        """Yields the rows of a block."""
        text = read_block(block)
        tally: Counter[str] = Counter()
        for line, row in parse_block(block, text):
            self.read_rows.inc()
            for source, rank in block.file.uses:
                tally["read"] += 1
                if isinstance(row, DataError):
                    yield beam.pvalue.TaggedOutput("rejected", Rejected(line, "", None, row.code.value, row.message, 1))
                elif row.class_id not in self.sources[source].class_ids:
                    tally["filtered: of another class"] += 1
                elif row.runs is None:
                    tally["filtered: without a mask"] += 1
                else:
                    mask = MaskRow(line, row.runs)
                    key = self.sources[source].folder, row.image_id
                    yield key, AnnotationRow(source, rank, row.class_id, mask)
        yield beam.pvalue.TaggedOutput("lines", ((block.file.path, block.start), text.count(b"\n")))
        for name, rows in tally.items():
            yield beam.pvalue.TaggedOutput("tallies", (name, rows))


class Annotations(NamedTuple):
    """What `ReadAnnotations` gives.

    Attributes:
        rows: (ImageKey, AnnotationRow), each row that is wanted and has a mask, be it empty.
        rejected: Rejected, a bad line each.
        tallies: (what, rows), to be summed.
        lines: ((path, start of a block), its line ends): they turn a `Line` into the number of a line.
    """

    rows: beam.PCollection[tuple[ImageKey, AnnotationRow]]
    rejected: beam.PCollection[Rejected]
    tallies: beam.PCollection[tuple[str, int]]
    lines: beam.PCollection[tuple[tuple[str, int], int]]


@dataclasses.dataclass(kw_only=True, eq=False)
class ReadAnnotations(beam.PTransform):
    """Reads the rows of CSV files.

    Attributes:
        files: to be read.
        sources: what `CsvFile.uses` points to.
        block_bytes: size of the blocks that are read in parallel.
    """

    files: tuple[CsvFile, ...]
    sources: tuple[Source, ...]
    block_bytes: int = BLOCK_BYTES

    def expand(self, pipeline: beam.Pipeline) -> Annotations:
        outputs = (
            pipeline
            | "Files" >> beam.Create(self.files, reshuffle=False)
            | "SplitIntoBlocks" >> beam.FlatMap(split_into_blocks, self.block_bytes)
            | "SpreadBlocks" >> beam.Reshuffle()
            | "ReadRows"
            >> beam.ParDo(ReadRows(self.sources))
            .with_outputs("rejected", "tallies", "lines", main="rows")
            .with_output_types(tuple[ImageKey, AnnotationRow])
        )
        return Annotations(outputs.rows, outputs.rejected, outputs.tallies, outputs.lines)
