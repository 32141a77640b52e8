"""Annotated images to examples."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import apache_beam as beam

from maskmill.transforms.annotations.group_by_image import ROW_BYTES
from maskmill.transforms.annotations.records import REJECTED_RUNS, UNKNOWN_CLASS, AnnotatedImage, AnnotationRow
from maskmill.transforms.assignment.image_hash import hash_image, share_of_hashes
from maskmill.transforms.assignment.splits import SelectedExample, Selection
from maskmill.transforms.examples.rle import EMPTY_RUNS
from maskmill.transforms.examples.spec import ExampleSpec
from maskmill.transforms.limits import MAX_ELEMENT_BYTES
from maskmill.transforms.rejected import Code, DataError, Line, Rejected

NEGATIVE = "filtered: negative, and not wanted"


class SelectedExamples(NamedTuple):
    """What `SelectExamples` gives.

    Attributes:
        examples: SelectedExample.
        rejected: Rejected, the rows of an image that cannot be made an example of.
        tallies: (what, rows), to be summed.
    """

    examples: beam.PCollection[SelectedExample]
    rejected: beam.PCollection[Rejected]
    tallies: beam.PCollection[tuple[str, int]]


class SelectExample(beam.DoFn):
    """Makes the examples of an image, of its rows in each selection; see `SelectExamples`."""

    def __init__(self, options: SelectExamples) -> None:
        self.selections = list(options.selections)
        self.negatives = options.negatives
        self.salt = options.salt
        self.group_pattern = options.group_pattern
        # A row may be in examples of several selections, and is accounted for by the first.
        self.owners: dict[tuple[int, int], int] = {}
        for number, (source, class_ids) in enumerate(self.selections):
            for class_id in class_ids:
                self.owners.setdefault((source, class_id), number)

    def process(self, image: AnnotatedImage) -> Iterable[Any]:
        """Yields at most one example for each selection."""
        for number, selection in enumerate(self.selections):
            of_source = [row for row in image.rows if row.source == selection.source]
            # An image that only other annotations have is not theirs to be without defects.
            if of_source or (not image.rows and selection.source in image.sources):
                yield from self._select(number, selection, image, of_source)

    def _select(
        self, number: int, selection: Selection, image: AnnotatedImage, of_source: Sequence[AnnotationRow]
    ) -> Iterator[Any]:
        rows = [row for row in of_source if row.mask.class_id in (UNKNOWN_CLASS, *selection.class_ids)]
        good = [row for row in rows if row.mask.runs != REJECTED_RUNS]
        counted = sum(self.owners[row.source, row.mask.class_id] == number for row in good)
        try:
            _check_complete(rows, good)
            _check_size(good)
            group = group_of(image.image_id, good, self.group_pattern)
        except DataError as error:
            if good or not rows:
                place: Line | str = good[0].mask.line if good else image.image.path
                class_id = selection.class_ids[0] if len(selection.class_ids) == 1 and good else None
                rejected = Rejected(place, image.image_id, class_id, error.code.value, error.message, counted)
                yield beam.pvalue.TaggedOutput("rejected", rejected)
            return
        spec = ExampleSpec(image.image_id, image.image, tuple(row.mask for row in good), counted, group)
        if self._is_wanted(spec):
            yield SelectedExample(number, good[0].rank if good else None, spec)
        elif counted:
            yield beam.pvalue.TaggedOutput("tallies", (NEGATIVE, counted))

    def _is_wanted(self, spec: ExampleSpec) -> bool:
        if spec.class_ids:
            return True
        if self.negatives is None:
            return bool(spec.rows)
        return hash_image(spec.image_id, self.salt).sample < share_of_hashes(self.negatives)


def _check_complete(rows: Sequence[AnnotationRow], good: Sequence[AnnotationRow]) -> None:
    """Refuses what another row, which is rejected, says more of; of which class it is may not be known.

    Then it is taken for another class than those of the good rows, but the image is not taken for one without defects.
    """
    unknown = sum(row.mask.class_id == UNKNOWN_CLASS for row in rows)
    has_defects = any(row.mask.runs != EMPTY_RUNS for row in good)
    if len(good) < len(rows) - (unknown if has_defects else 0):
        raise DataError(
            Code.MASK_INCOMPLETE,
            "another row of the image is rejected, so that its mask would not be whole; correct or remove that row",
        )


def _check_size(rows: Sequence[AnnotationRow]) -> None:
    """Refuses what is too large for a shuffle, as which the rows are one example."""
    size = sum(len(row.mask.runs) + len(row.mask.line.path.encode()) + ROW_BYTES for row in rows)
    if size > MAX_ELEMENT_BYTES:
        raise DataError(
            Code.RLE_TOO_LONG,
            f"its {len(rows)} rows take {size} bytes together when they are packed, of which {MAX_ELEMENT_BYTES} are "
            "accepted; unite runs that touch or overlap",
        )


def group_of(image_id: str, rows: Iterable[AnnotationRow], pattern: str | None) -> str:
    """The group that an image is of, "" where none is asked for.

    Args:
        image_id: of the image.
        rows: of the image, which have its group where a column names it.
        pattern: regular expression that finds the group in the ImageId: its first bracket, or all of it.

    Raises:
        DataError: the image is of no group, or of several.
    """
    if pattern is not None:
        if not (found := re.search(pattern, image_id)) or not (group := found[min(1, found.re.groups)]):
            problem = f"maskmill.group_pattern, {pattern!r}, finds no group in it; correct the pattern, or the name"
            raise DataError(Code.GROUP_INVALID, problem)
        return group
    groups = sorted({row.group for row in rows})
    if len(groups) > 1:
        raise DataError(
            Code.GROUP_INVALID, f"its rows name the groups {groups[0]!r} and {groups[1]!r}; an image is of one"
        )
    return groups[0] if groups else ""


@dataclasses.dataclass(kw_only=True, eq=False)
class SelectExamples(beam.PTransform):
    """Makes examples of annotated images.

    Attributes:
        selections: for which examples are made; see `splits.selections_of`.
        negatives: share of the images without a defect that become examples, sampled by their hash; None is all those
            of which a row says `-1`, and no other.
        salt: of the hash.
        group_pattern: regular expression that finds an image's group in its ImageId; None where its rows name it.
    """

    selections: Sequence[Selection]
    negatives: float | None = None
    salt: str = ""
    group_pattern: str | None = None

    def expand(self, images: beam.PCollection[AnnotatedImage]) -> SelectedExamples:
        outputs = images | "SelectExample" >> beam.ParDo(SelectExample(self)).with_outputs(
            "rejected", "tallies", main="examples"
        ).with_output_types(SelectedExample)
        return SelectedExamples(outputs.examples, outputs.rejected, outputs.tallies)
