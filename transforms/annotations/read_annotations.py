"""CSV files to rows, in parallel blocks."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from typing import Any, NamedTuple

import apache_beam as beam
from apache_beam.metrics import Metrics

from maskmill.transforms.annotations.columns import Columns
from maskmill.transforms.annotations.csv_blocks import MAX_LINE_BYTES, Block, CsvFile, read_block, split_into_blocks
from maskmill.transforms.annotations.parse_row import DefectRow, is_file_name, name_row, parse_row, split_lines
from maskmill.transforms.annotations.records import (
    REJECTED_RUNS,
    UNKNOWN_CLASS,
    AnnotationRow,
    ImageKey,
    MaskRow,
    Source,
)
from maskmill.transforms.examples.rle import EMPTY_RUNS
from maskmill.transforms.rejected import Code, DataError, Line, Rejected
from maskmill.transforms.text import printable

# Of what is read in parallel. Small enough to cross a shuffle where a compressed file makes it necessary.
BLOCK_BYTES = 2**19
# Of a line that is too long, what is looked at for the names of its image and class.
_NAMING_BYTES = 2**10
# Of the name of an image in a record of what is rejected.
_SHOWN_CHARACTERS = 80


def parse_block(
    block: Block, text: bytes, classes: Collection[int] | None = None
) -> Iterator[tuple[Line, DefectRow | DataError]]:
    """Rows of a block, with their lines.

    Args:
        block: where the text is from.
        text: the block's lines.
        classes: whose masks are wanted; None is all.

    Yields:
        for each line that is neither the header nor blank: where it stands, and what it says or what is wrong.
    """
    for number, line in enumerate(split_lines(text)):
        too_long = len(line) > MAX_LINE_BYTES
        if (block.start == 0 and number == 0) or not (too_long or line.strip()):
            continue
        place = Line(block.file.path, block.start, number)
        try:
            row = (
                parse_row(line, block.file.columns, classes) if not too_long else _refuse_line(line, block.file.columns)
            )
            yield place, row
        except DataError as error:
            yield place, error


def _refuse_line(line: bytes, columns: Columns) -> DataError:
    message = f"the line has more than {MAX_LINE_BYTES} bytes; no row is that long: correct or remove it"
    # The field behind the last comma may be cut off.
    return DataError(Code.CSV_LINE_TOO_LONG, message, *name_row(line[:_NAMING_BYTES].rpartition(b",")[0], columns))


class ReadRows(beam.DoFn):
    """Reads a block; see `ReadAnnotations` for the outputs."""

    def __init__(self, sources: tuple[Source, ...]) -> None:
        self.sources = sources
        self.read_rows = Metrics.counter("maskmill", "read-rows")

    def process(self, block: Block) -> Iterable[Any]:
        """Yields the rows of a block."""
        text = read_block(block)
        tally: Counter[str] = Counter()
        rows = 0
        classes = frozenset[int]().union(*(self.sources[source].class_ids for source, _ in block.file.uses))
        for line, row in parse_block(block, text, classes):
            rows += 1
            for source, rank in block.file.uses:
                tally["read"] += 1
                wanted = self.sources[source]
                key = wanted.folder, row.image_id
                if isinstance(row, DataError):
                    shown = printable(row.image_id[:_SHOWN_CHARACTERS])
                    bad = Rejected(line, shown, row.class_id, row.code.value, row.message, 1)
                    yield beam.pvalue.TaggedOutput("rejected", bad)
                    if is_file_name(row.image_id):
                        mask = MaskRow(line, row.class_id or UNKNOWN_CLASS, REJECTED_RUNS)
                        yield key, AnnotationRow(source, rank, mask)
                elif row.class_id not in wanted.class_ids:
                    tally["filtered: of another class"] += 1
                elif row.runs is None and not wanted.empty_rows:
                    tally["filtered: without a mask"] += 1
                else:
                    mask = MaskRow(line, row.class_id, EMPTY_RUNS if row.runs is None else row.runs)
                    yield key, AnnotationRow(source, rank, mask, row.group)
        self.read_rows.inc(rows)
        yield beam.pvalue.TaggedOutput("lines", ((block.file.path, block.start), text.count(b"\n")))
        for name, number in tally.items():
            yield beam.pvalue.TaggedOutput("tallies", (name, number))


class Annotations(NamedTuple):
    """What `ReadAnnotations` gives.

    Attributes:
        rows: (ImageKey, AnnotationRow), each row that is wanted, and each that is rejected but names its image.
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
    """

    files: tuple[CsvFile, ...]
    sources: tuple[Source, ...]

    def expand(self, pipeline: beam.Pipeline) -> Annotations:
        outputs = (
            pipeline
            | "Files" >> beam.Create(self.files, reshuffle=False)
            | "SplitIntoBlocks" >> beam.FlatMap(split_into_blocks, BLOCK_BYTES)
            | "SpreadBlocks" >> beam.Reshuffle()
            | "ReadRows"
            >> beam.ParDo(ReadRows(self.sources))
            .with_outputs("rejected", "tallies", "lines", main="rows")
            .with_output_types(tuple[ImageKey, AnnotationRow])
        )
        return Annotations(outputs.rows, outputs.rejected, outputs.tallies, outputs.lines)
