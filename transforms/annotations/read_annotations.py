"""Reads the rows of CSV files, in parallel blocks."""

from __future__ import annotations

import dataclasses
from collections import Counter, deque
from collections.abc import Collection, Iterable, Iterator
from functools import partial
from typing import Any, NamedTuple

import apache_beam as beam
from apache_beam.metrics import Metrics

from maskmill.transforms.annotations.csv_blocks import Block, CsvFile, read_block, split_into_blocks
from maskmill.transforms.annotations.parse_lines import ParsedLine, list_lines, parse_lines
from maskmill.transforms.annotations.parse_row import DefectRow, is_file_name
from maskmill.transforms.annotations.records import (
    NO_CLASS,
    REJECTED_RUNS,
    AnnotationRow,
    ImageKey,
    MaskRow,
    Source,
)
from maskmill.transforms.annotations.similar_names import file_part
from maskmill.transforms.examples.rle import EMPTY_RUNS
from maskmill.transforms.files.file_names import normal_form
from maskmill.transforms.global_window import in_global_window
from maskmill.transforms.limits import MAX_NAME_BYTES
from maskmill.transforms.parallel.look_ahead import LookAhead
from maskmill.transforms.parallel.process_pool import losses_told, process_pool
from maskmill.transforms.rejected import Code, DataError, Line, Rejected
from maskmill.transforms.tallies import (
    EXCLUDED,
    OTHER_CLASS,
    OVERLAPPING_RUNS,
    READ_ROWS,
    WITHOUT_MASK,
    rows_of_class,
)
from maskmill.transforms.text import SHOWN_CHARACTERS, printable

# Of the blocks that are read in parallel. Small enough to cross a shuffle, as blocks of a compressed file have to.
BLOCK_BYTES = 2**19


def parse_block(
    block: Block, text: bytes, classes: Collection[int] | None = None
) -> Iterator[tuple[Line, DefectRow | DataError]]:
    """Parses the rows of a block.

    Args:
        block: gives the rows their places and columns.
        text: the block's lines.
        classes: numbers of the classes whose masks are kept; None keeps all.

    Yields:
        for each line that is neither the header nor blank: its place, and its row or what is wrong with it.
    """
    for number, row in parse_lines(text, block.file.columns, classes, has_header=block.start == 0):
        yield Line(block.file.path, block.start, number), row


def _meant_by_path(folder: int, error: DataError) -> ImageKey | None:
    """Returns the file that a row may mean if it gives a path."""
    name = file_part(error.image_id)
    is_path = error.code is Code.IMAGE_ID_INVALID and name != error.image_id and is_file_name(name)
    return (folder, name) if is_path else None


class _ReadBlock(NamedTuple):
    """A block that was read, and the number of its line ends."""

    block: Block
    line_ends: int


class ReadRows(beam.DoFn):
    """Reads blocks; see `ReadAnnotations`."""

    def __init__(self, sources: tuple[Source, ...], processes: int = 0, excluded: Collection[str] = ()) -> None:
        self.sources = sources
        self.processes = processes
        self.excluded = excluded
        self.read_rows = Metrics.counter("maskmill", "read-rows")

    def start_bundle(self) -> None:
        """Starts with no block under way."""
        if self.processes:
            # Each process has one, and the next ones are ready.
            window = self.processes + 2
            self.ahead: LookAhead[list[ParsedLine]] = LookAhead(process_pool(self.processes), window)
            self.under_way: deque[_ReadBlock] = deque()

    def process(self, block: Block) -> Iterable[Any]:
        """Reads a block; yields the outputs for it, or for blocks that have to make room for it in the pool."""
        text = read_block(block)
        read = _ReadBlock(block, text.count(b"\n"))
        classes = frozenset[int]().union(*(self.sources[source].class_ids for source, _ in block.file.sources))
        parse = partial(list_lines, text, block.file.columns, classes, has_header=block.start == 0)
        if not self.processes:
            yield from self._outputs(read, parse())
            return
        self.under_way.append(read)
        yield from self._outputs_of_pool(self.ahead.call(parse))

    def finish_bundle(self) -> Iterable[Any]:
        """Yields the outputs for the blocks that are still under way."""
        if self.processes:
            yield from in_global_window(self._outputs_of_pool(self.ahead.finish()))

    def _outputs_of_pool(self, parsed: Iterator[list[ParsedLine]]) -> Iterator[Any]:
        with losses_told():
            for lines in parsed:
                yield from self._outputs(self.under_way.popleft(), lines)

    def _outputs(self, read: _ReadBlock, lines: Iterable[ParsedLine]) -> Iterator[Any]:
        file, start = read.block.file, read.block.start
        names = file.columns.format.classes
        tally: Counter[str] = Counter()
        rows = 0
        for number, row in lines:
            rows += 1
            line = Line(file.path, start, number)
            for index, file_index in file.sources:
                tally[READ_ROWS] += 1
                if row.class_id:
                    tally[rows_of_class(names[row.class_id - 1])] += 1
                source = self.sources[index]
                key = source.folder, row.image_id
                if self.excluded and normal_form(row.image_id) in self.excluded:
                    tally[EXCLUDED] += 1
                elif isinstance(row, DataError):
                    rejected = Rejected(
                        source=line,
                        image_id=printable(row.image_id[:SHOWN_CHARACTERS]),
                        class_id=row.class_id,
                        code=row.code.value,
                        message=row.message,
                        rows=1,
                        meant=_meant_by_path(source.folder, row),
                    )
                    yield beam.pvalue.TaggedOutput("rejected", rejected)
                    # A path, too: no file is joined to it, but one that it may mean is not taken for a negative.
                    if 0 < len(row.image_id.encode()) <= MAX_NAME_BYTES:
                        mask = MaskRow(line, row.class_id or NO_CLASS, REJECTED_RUNS)
                        yield key, AnnotationRow(index, file_index, mask)
                elif row.class_id not in source.class_ids and row.class_id != NO_CLASS:
                    tally[OTHER_CLASS] += 1
                elif row.runs is None and not source.empty_rows:
                    tally[WITHOUT_MASK] += 1
                else:
                    if row.overlapping:
                        tally[OVERLAPPING_RUNS] += 1
                    mask = MaskRow(line, row.class_id, EMPTY_RUNS if row.runs is None else row.runs)
                    yield key, AnnotationRow(index, file_index, mask, row.group)
        self.read_rows.inc(rows)
        yield beam.pvalue.TaggedOutput("lines", ((file.path, start), read.line_ends))
        for name, number in tally.items():
            yield beam.pvalue.TaggedOutput("tallies", (name, number))


class Annotations(NamedTuple):
    """The outputs of `ReadAnnotations`.

    Attributes:
        rows: (ImageKey, AnnotationRow) for each row that a source keeps and each rejected row that names its image.
        rejected: one for each bad line.
        tallies: (name, rows).
        lines: ((path, start of a block), number of its line ends); `aggregate_metadata.number_lines` needs them.
    """

    rows: beam.PCollection[tuple[ImageKey, AnnotationRow]]
    rejected: beam.PCollection[Rejected]
    tallies: beam.PCollection[tuple[str, int]]
    lines: beam.PCollection[tuple[tuple[str, int], int]]


@dataclasses.dataclass(kw_only=True, eq=False)
class ReadAnnotations(beam.PTransform):
    """Reads the rows of CSV files.

    Attributes:
        files: each is read once, whatever the number of its sources.
        sources: `CsvFile.sources` holds indices in this tuple.
        processes: number of processes in the pool that parses, if the pipeline runs in this process; 0 for none.
        excluded: names of files, as `file_named` gives them, whose rows are left out, bad ones too.
    """

    files: tuple[CsvFile, ...]
    sources: tuple[Source, ...]
    processes: int = 0
    excluded: Collection[str] = ()

    def expand(self, pipeline: beam.Pipeline) -> Annotations:
        outputs = (
            pipeline
            | "Files" >> beam.Create(self.files, reshuffle=False)
            | "SplitIntoBlocks" >> beam.FlatMap(split_into_blocks, BLOCK_BYTES)
            | "SpreadBlocks" >> beam.Reshuffle()
            | "ReadRows"
            >> beam.ParDo(ReadRows(self.sources, self.processes, self.excluded))
            .with_outputs("rejected", "tallies", "lines", main="rows")
            .with_output_types(tuple[ImageKey, AnnotationRow])
        )
        return Annotations(outputs.rows, outputs.rejected, outputs.tallies, outputs.lines)
