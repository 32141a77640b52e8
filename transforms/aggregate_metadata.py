"""Collects shard summaries, tallies and rejected records in the metadata of the whole dataset."""

from __future__ import annotations

import dataclasses
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import apache_beam as beam
from apache_beam.metrics import Metrics

from maskmill.transforms.assignment.splits import SplitSize
from maskmill.transforms.rejected import Line, Rejected, RejectedRecord
from maskmill.transforms.shards.records import ShardSummary, join_summaries
from maskmill.transforms.tallies import ANNOTATED_IMAGES, READ_ROWS, SHARED_IMAGES, filtered_rows, notes, rows_by_class


class RowCounts(NamedTuple):
    """Counts what became of the rows of the CSV.

    Attributes:
        read: all rows.
        in_examples: rows that are part of an example.
        filtered: rows that nobody asked for, by reason.
        rejected: rows that are bad, or whose image is.
        merged: rows in examples that were merged with an earlier row of the same example.
        classes: rows of each class that has any, rejected ones too, by its name.
    """

    read: int
    in_examples: int
    filtered: Mapping[str, int]
    rejected: int
    merged: int
    classes: Mapping[str, int] = {}

    def to_json(self, classes: Iterable[str]) -> dict[str, Any]:
        """Returns the counts as JSON can hold them, with all of the given classes, in their order."""
        by_class = {name: self.classes.get(name, 0) for name in classes}
        return {**self._asdict(), "filtered": dict(self.filtered), "classes": by_class}

    @property
    def lost(self) -> int:
        """Rows that are not accounted for: 0 unless the pipeline is faulty."""
        return self.read - self.in_examples - sum(self.filtered.values()) - self.rejected


class Misnamed(NamedTuple):
    """What is known of rejected rows that name their image in another way than the folder.

    Attributes:
        folder: index of the image folder.
        meant: name of the file in it that they may mean.
        rows: their number.
    """

    folder: int
    meant: str
    rows: int


class DatasetMetadata(NamedTuple):
    """All that is known of a dataset once its shards are written.

    Attributes:
        shards: ordered by split and number.
        sizes: by split.
        rows: what became of them.
        rejected: ordered by source and line.
        shared_images: number of images in more than one split.
        images: number of images with a file, and either rows or a source that uses images without rows.
        notes: numbers of what was read in a way that a person may not expect, by what it is.
        misnamed: those of the rejected records whose rows name their image in another way than the folder.
        pairs: some pairs of equal images with different masks; see `SettledExamples`.
    """

    shards: tuple[ShardSummary, ...]
    sizes: Mapping[str, SplitSize]
    rows: RowCounts
    rejected: tuple[RejectedRecord, ...]
    shared_images: int
    images: int
    notes: Mapping[str, int]
    misnamed: Mapping[RejectedRecord, Misnamed] = {}
    pairs: tuple[tuple[str, str], ...] = ()


def number_lines(
    rejected: Iterable[Rejected], lines: Iterable[tuple[tuple[str, int], int]]
) -> dict[RejectedRecord, Misnamed | None]:
    """Replaces places in blocks by line numbers.

    Args:
        rejected: in any order.
        lines: ((path, start of a block), number of its line ends) for every block.

    Returns:
        distinct records, ordered by source and line, each with what is known of it if its rows misname their image.
    """
    first_line: dict[tuple[str, int], int] = {}
    next_line: dict[str, int] = defaultdict(lambda: 1)
    for (path, start), count in sorted(lines):
        first_line[path, start] = next_line[path]
        next_line[path] += count
    records: dict[RejectedRecord, Misnamed | None] = {}
    for one in rejected:
        path, line = _path_and_line(one.source, first_line)
        record = RejectedRecord(
            source=path,
            line=line,
            image_id=one.image_id,
            class_id=one.class_id,
            code=one.code,
            message=one.message,
        )
        records[record] = Misnamed(*one.meant, one.rows) if one.meant else None
    ordered = sorted(records, key=lambda record: (record.source, record.line or 0, *map(str, record)))
    return {record: records[record] for record in ordered}


def _path_and_line(source: Line | str, first_line: Mapping[tuple[str, int], int]) -> tuple[str, int | None]:
    if isinstance(source, Line):
        return source.path, first_line[source.path, source.block] + source.line
    return source, None


def aggregate(parts: Iterable[tuple[str, Any]]) -> DatasetMetadata:
    """Aggregates the elements of all inputs of `AggregateMetadata`, each given with the name of its input."""
    elements: dict[str, list[Any]] = defaultdict(list)
    for name, element in parts:
        elements[name].append(element)
    shards = join_summaries(elements["summaries"])
    rejected = elements["rejected"]
    for code, number in Counter(one.code for one in rejected).items():
        Metrics.counter("maskmill", f"reject-{code.lower().replace('_', '-')}").inc(number)
    totals: Counter[str] = Counter()
    for name, number in elements["tallies"]:
        totals[name] += number
    [sizes] = elements["sizes"]
    records = number_lines(rejected, elements["lines"])
    rows = RowCounts(
        read=totals[READ_ROWS],
        in_examples=sum(shard.rows for shard in shards),
        filtered=filtered_rows(totals),
        rejected=sum(one.rows for one in rejected),
        merged=sum(shard.merged for shard in shards),
        classes=rows_by_class(totals),
    )
    return DatasetMetadata(
        shards=shards,
        sizes=sizes,
        rows=rows,
        rejected=tuple(records),
        shared_images=totals[SHARED_IMAGES],
        images=totals[ANNOTATED_IMAGES],
        notes=notes(totals),
        misnamed={record: known for record, known in records.items() if known},
        pairs=tuple(pair for pairs in elements["pairs"] for pair in pairs),
    )


@dataclasses.dataclass(kw_only=True, eq=False)
class AggregateMetadata(beam.PTransform):
    """Collects the small outputs of all steps in one `DatasetMetadata`.

    Attributes:
        sizes: one element, {split: SplitSize}.
        tallies: (name, rows or images); see `tallies`.
        rejected: of all steps.
        lines: ((path, start of a block), number of its line ends).
        pairs: one element, a list of pairs of equal images with different masks; None if nobody has looked for any.
    """

    sizes: beam.PCollection[dict[str, SplitSize]]
    tallies: beam.PCollection[tuple[str, int]]
    rejected: beam.PCollection[Rejected]
    lines: beam.PCollection[tuple[tuple[str, int], int]]
    pairs: beam.PCollection[list[tuple[str, str]]] | None = None

    def expand(self, summaries: beam.PCollection[ShardSummary]) -> beam.PCollection[DatasetMetadata]:
        # Grouped by one key, because a group is complete on every runner when it is read; side inputs are not.
        parts = {
            "summaries": summaries,
            "sizes": self.sizes,
            "tallies": self.tallies,
            "rejected": self.rejected,
            "lines": self.lines,
            "pairs": self.pairs,
        }
        named = [
            part | f"Name{name.capitalize()}" >> beam.Map(name_element, name).with_output_types(tuple[str, Any])
            for name, part in parts.items()
            if part is not None
        ]
        return (
            named
            | "CollectParts" >> beam.Flatten()
            | "GroupParts" >> beam.GroupByKey()
            # ("", [(name, element)])
            | "Aggregate" >> beam.MapTuple(lambda _, elements: aggregate(elements))
        )


def name_element(element: object, name: str) -> tuple[str, tuple[str, Any]]:
    """Gives an element the name of its input, and the key of the one group."""
    return "", (name, element)
