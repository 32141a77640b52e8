"""Shard summaries, counts and rejected records to the metadata of the whole dataset."""

from __future__ import annotations

import dataclasses
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import apache_beam as beam
from apache_beam.metrics import Metrics

from maskmill.transforms.annotations.group_by_image import ANNOTATED_IMAGES
from maskmill.transforms.assignment.count_shared_images import SHARED_IMAGES
from maskmill.transforms.assignment.splits import SplitSize
from maskmill.transforms.rejected import Line, Rejected
from maskmill.transforms.shards.records import ShardSummary, join_summaries

_FILTERED = "filtered: "


class RejectedRecord(NamedTuple):
    """A `Rejected` as it is written out; the source is a CSV file or an image, the line is None for an image."""

    source: str
    line: int | None
    image_id: str
    class_id: int | None
    code: str
    message: str


class RowCounts(NamedTuple):
    """What became of the rows of the CSV.

    Attributes:
        read: all that were read.
        in_examples: those that are in an example.
        filtered: those that nobody asked for, by reason.
        rejected: those that are bad, or whose image is.
        merged: of those in examples, the ones united with an earlier row of the same example.
    """

    read: int
    in_examples: int
    filtered: Mapping[str, int]
    rejected: int
    merged: int

    @property
    def lost(self) -> int:
        """Rows that were read and are nowhere: 0 in a run without fault."""
        return self.read - self.in_examples - sum(self.filtered.values()) - self.rejected


class DatasetMetadata(NamedTuple):
    """All that is known of a dataset when its shards are written.

    Attributes:
        shards: summaries, ordered by split and number.
        sizes: of the splits.
        rows: what became of the rows.
        rejected: ordered by source and line.
        shared_images: number of images in more than one split.
        images: number of images that have a file, and rows of classes that are wanted or leave to be without.
    """

    shards: tuple[ShardSummary, ...]
    sizes: Mapping[str, SplitSize]
    rows: RowCounts
    rejected: tuple[RejectedRecord, ...]
    shared_images: int
    images: int


def number_lines(
    rejected: Iterable[Rejected], lines: Iterable[tuple[tuple[str, int], int]]
) -> tuple[RejectedRecord, ...]:
    """Turns places in blocks into numbers of lines.

    Args:
        rejected: records.
        lines: ((path, start of a block), line ends in it), of every block.

    Returns:
        the records in the order of source and line, each once.
    """
    first_line: dict[tuple[str, int], int] = {}
    next_line: dict[str, int] = defaultdict(lambda: 1)
    for (file, start), count in sorted(lines):
        first_line[file, start] = next_line[file]
        next_line[file] += count
    records = set()
    for source, image_id, class_id, code, message, _ in rejected:
        path: str
        line: int | None
        if isinstance(source, Line):
            path, line = source.path, first_line[source.path, source.block] + source.line
        else:
            path, line = source, None
        records.add(RejectedRecord(path, line, image_id, class_id, code, message))
    return tuple(sorted(records, key=lambda record: (record.source, record.line or 0, *map(str, record))))


def aggregate(named: Iterable[tuple[str, Any]]) -> DatasetMetadata:
    """Puts together what the steps say of their parts.

    Args:
        named: elements of all inputs of `AggregateMetadata`, each behind the name of its input.
    """
    parts: dict[str, list[Any]] = defaultdict(list)
    for name, element in named:
        parts[name].append(element)
    shards = join_summaries(parts["summaries"])
    rejected = parts["rejected"]
    for code, number in Counter(record.code for record in rejected).items():
        Metrics.counter("maskmill", f"reject-{code.lower().replace('_', '-')}").inc(number)
    totals: Counter[str] = Counter()
    for name, number in parts["tallies"]:
        totals[name] += number
    [sizes] = parts["sizes"]
    counts = RowCounts(
        read=totals["read"],
        in_examples=sum(shard.rows for shard in shards),
        filtered={name.removeprefix(_FILTERED): totals[name] for name in sorted(totals) if name.startswith(_FILTERED)},
        rejected=sum(record.rows for record in rejected),
        merged=sum(shard.merged for shard in shards),
    )
    records = number_lines(rejected, parts["lines"])
    return DatasetMetadata(shards, sizes, counts, records, totals[SHARED_IMAGES], totals[ANNOTATED_IMAGES])


@dataclasses.dataclass(kw_only=True, eq=False)
class AggregateMetadata(beam.PTransform):
    """Collects the small outputs of all steps in one `DatasetMetadata`.

    Attributes:
        sizes: one element, {split: SplitSize}.
        tallies: (what, rows or images), to be summed.
        rejected: Rejected.
        lines: ((path, start of a block), line ends in it).
    """

    sizes: beam.PCollection[dict[str, SplitSize]]
    tallies: beam.PCollection[tuple[str, int]]
    rejected: beam.PCollection[Rejected]
    lines: beam.PCollection[tuple[tuple[str, int], int]]

    def expand(self, summaries: beam.PCollection[ShardSummary]) -> beam.PCollection[DatasetMetadata]:
        # Grouped under one key, not side inputs: a group is whole on every runner before it is looked at.
        parts = {
            "summaries": summaries,
            "sizes": self.sizes,
            "tallies": self.tallies,
            "rejected": self.rejected,
            "lines": self.lines,
        }
        named = [
            part | f"Name{name.capitalize()}" >> beam.Map(behind_name, name).with_output_types(tuple[str, Any])
            for name, part in parts.items()
        ]
        return (
            named
            | "CollectParts" >> beam.Flatten()
            | "GroupParts" >> beam.GroupByKey()
            # ("", [(name, element)])
            | "Aggregate" >> beam.MapTuple(lambda _, elements: aggregate(elements))
        )


def behind_name(element: object, name: str) -> tuple[str, tuple[str, Any]]:
    """An element with the name of its input, under the one key of all."""
    return "", (name, element)
