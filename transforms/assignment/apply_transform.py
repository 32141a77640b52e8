"""Applies somebody else's transform to the selected examples, and checks that no row is lost or doubled by it."""

from __future__ import annotations

import dataclasses
import functools
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import apache_beam as beam

from maskmill.transforms.annotations.records import NO_CLASS, REJECTED_RUNS
from maskmill.transforms.assignment.splits import SelectedExample, Selection
from maskmill.transforms.batches import IntoBatches
from maskmill.transforms.codec import Codec, PackedBatch, Plain, unpack
from maskmill.transforms.examples.spec import SPEC_CODEC, ExampleSpec
from maskmill.transforms.tallies import DROPPED

_ALLOWED = "it may drop examples, drop or change their rows, and set their groups"

# Selection, and path of the image.
ExampleKey = tuple[int, str]


class TransformError(ValueError):
    """The transform gives what it must not; the message says what, and what it may do."""


class TransformedExamples(NamedTuple):
    """The outputs of `ApplyTransform`.

    Attributes:
        examples: those that the transform gives.
        tallies: (name, rows).
    """

    examples: beam.PCollection[SelectedExample]
    tallies: beam.PCollection[tuple[str, int]]


def _to_plain(one: SelectedExample) -> Plain:
    return (one.selection, one.file_index, *SPEC_CODEC.to_plain(one.spec))


def _from_plain(plain: Plain) -> SelectedExample:
    selection, file_index, *spec = plain
    return SelectedExample(selection, file_index, SPEC_CODEC.from_plain(tuple(spec)))


def _size_of(one: SelectedExample) -> int:
    return SPEC_CODEC.size_of(one.spec)


SELECTED_CODEC = Codec(_to_plain, _from_plain, _size_of)


def key_of(one: SelectedExample) -> ExampleKey:
    """Returns what tells an example from every other."""
    return one.selection, one.spec.image.path


def partition_of(one: Any, partitions: int) -> int:
    """Returns the partition of an example.

    Raises:
        TransformError: it is no example.
    """
    if not isinstance(one, SelectedExample) or not isinstance(one.spec, ExampleSpec):
        raise TransformError(f"the transform gives {type(one).__name__}, not SelectedExample")
    return zlib.crc32(one.spec.image.path.encode()) % partitions


def check_transformed(
    before: Mapping[ExampleKey, SelectedExample], after: Iterable[SelectedExample], selections: Sequence[Selection]
) -> Iterator[SelectedExample]:
    """Yields what a transform gives.

    Args:
        before: the examples that it was given.
        after: what it gives.
        selections: that the examples are of.

    Raises:
        TransformError: an example is new, or given twice, or its rows are not some of its rows.
    """
    seen: set[ExampleKey] = set()
    for one in after:
        key = key_of(one)
        if wrong := _problem(one, before.get(key), key in seen, selections):
            raise TransformError(f"{one.spec.image_id}: the transform {wrong}; {_ALLOWED}")
        seen.add(key)
        yield one


def _problem(one: SelectedExample, given: SelectedExample | None, seen: bool, selections: Sequence[Selection]) -> str:
    if given is None or one.spec.image != given.spec.image or one.spec.image_id != given.spec.image_id:
        return "gives an example that it was not given"
    if seen:
        return "gives the example twice"
    lines = iter([row.line for row in given.spec.rows])
    if one.file_index != given.file_index or not all(row.line in lines for row in one.spec.rows):
        return "adds a row to the example, or changes the order of its rows"
    if given.spec.rows and not one.spec.rows:
        return "leaves the example without rows, and should drop it"
    if not 0 <= one.spec.counted_rows <= given.spec.counted_rows:
        return f"counts {one.spec.counted_rows} rows in the example, which had {given.spec.counted_rows}"
    classes = (NO_CLASS, *selections[one.selection].class_ids)
    if any(row.runs == REJECTED_RUNS or row.class_id not in classes for row in one.spec.rows):
        return "gives a row that is not of a class of the split, or has no runs"
    return ""


class CheckTransformed(beam.DoFn):
    """Checks the examples of a partition, and counts the rows of those that the transform has dropped."""

    def __init__(self, selections: Sequence[Selection]) -> None:
        self.selections = list(selections)

    def process(self, partition: tuple[int, dict[str, Iterable[PackedBatch]]]) -> Iterable[Any]:
        """Yields the examples and, tagged "tallies", the number of dropped rows."""
        _, joined = partition
        before = {key_of(one): one for one in unpack(joined["before"], SELECTED_CODEC)}
        rows = sum(one.spec.counted_rows for one in before.values())
        for one in check_transformed(before, unpack(joined["after"], SELECTED_CODEC), self.selections):
            rows -= one.spec.counted_rows
            yield one
        yield beam.pvalue.TaggedOutput("tallies", (DROPPED, rows))


@dataclasses.dataclass(kw_only=True, eq=False)
class ApplyTransform(beam.PTransform):
    """Applies a transform to the selected examples.

    Attributes:
        transform: from a PCollection of `SelectedExample` to one.
        selections: that the examples are of.
        partitions: number of groups in the shuffle that compares what goes in with what comes out.
    """

    transform: beam.PTransform
    selections: Sequence[Selection]
    partitions: int

    def expand(self, selected: beam.PCollection[SelectedExample]) -> TransformedExamples:
        transformed = selected | "Transform" >> self.transform
        if not isinstance(transformed, beam.PCollection):
            raise TransformError(f"the transform gives {type(transformed).__name__}, not a PCollection")
        batches = IntoBatches(SELECTED_CODEC, functools.partial(partition_of, partitions=self.partitions))
        batch_type = tuple[int, PackedBatch]
        outputs = (
            {
                "before": selected | "BatchBefore" >> beam.ParDo(batches).with_output_types(batch_type),
                "after": transformed | "BatchAfter" >> beam.ParDo(batches).with_output_types(batch_type),
            }
            | "JoinByPartition" >> beam.CoGroupByKey()
            # (partition, {"before": [PackedBatch of SelectedExample], "after": [PackedBatch of SelectedExample]})
            | "CheckTransformed"
            >> beam.ParDo(CheckTransformed(self.selections))
            .with_outputs("tallies", main="examples")
            .with_output_types(SelectedExample)
        )
        return TransformedExamples(outputs.examples, outputs.tallies)
