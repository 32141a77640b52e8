"""Selects the examples that annotated images become."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import apache_beam as beam

from maskmill.transforms.annotations.records import (
    NO_CLASS,
    REJECTED_RUNS,
    ROW_BYTES,
    AnnotatedImage,
    AnnotationRow,
    MaskRow,
)
from maskmill.transforms.assignment.image_hash import hash_bound, hash_image
from maskmill.transforms.assignment.splits import SelectedExample, Selection
from maskmill.transforms.examples.rle import EMPTY_RUNS
from maskmill.transforms.examples.spec import ExampleSpec
from maskmill.transforms.limits import MAX_ELEMENT_BYTES
from maskmill.transforms.rejected import Code, DataError, Rejected
from maskmill.transforms.tallies import IN_NO_SPLIT, OTHER_CLASS, UNNAMED_IMAGES, UNWANTED_NEGATIVE


class SelectedExamples(NamedTuple):
    """The outputs of `SelectExamples`.

    Attributes:
        examples: at most one for each image and selection.
        rejected: images whose rows cannot become an example.
        tallies: (name, rows).
    """

    examples: beam.PCollection[SelectedExample]
    rejected: beam.PCollection[Rejected]
    tallies: beam.PCollection[tuple[str, int]]


class SelectExample(beam.DoFn):
    """Makes an example of an image's rows in each selection."""

    def __init__(self, options: SelectExamples) -> None:
        self.selections = list(options.selections)
        self.negatives = options.negatives
        self.salt = options.salt
        self.group_pattern = options.group_pattern
        # A row may be in the examples of several selections; the first counts it.
        self.owners: dict[tuple[str, int, int], int] = {}
        for number, selection in enumerate(self.selections):
            for class_id in (NO_CLASS, *selection.class_ids):
                self.owners.setdefault((selection.split, selection.source, class_id), number)

    def process(self, image: AnnotatedImage) -> Iterable[Any]:
        """Yields the outputs of `SelectExamples`."""
        if image.split is not None:
            yield from self._tally_unused(image, image.split)
        for number, selection in enumerate(self.selections):
            if selection.split != (image.split or ""):
                continue
            of_source = [row for row in image.rows if row.source == selection.source]
            # Without rows an image is free of defects; but not if it has rows of other sources only.
            if of_source or (not image.rows and selection.source in image.sources):
                yield from self._select(number, selection, image, of_source)

    def _tally_unused(self, image: AnnotatedImage, split: str) -> Iterator[Any]:
        """Tallies an image that is in no split, and the rows that the splits of other images take."""
        if not split:
            yield beam.pvalue.TaggedOutput("tallies", (UNNAMED_IMAGES, 1))
        good = [row for row in image.rows if row.mask.runs != REJECTED_RUNS]
        in_no_split = sum((split, row.source, NO_CLASS) not in self.owners for row in good)
        unused = sum((split, row.source, row.mask.class_id) not in self.owners for row in good)
        for name, rows in ((IN_NO_SPLIT, in_no_split), (OTHER_CLASS, unused - in_no_split)):
            if rows:
                yield beam.pvalue.TaggedOutput("tallies", (name, rows))

    def _select(
        self, number: int, selection: Selection, image: AnnotatedImage, of_source: Sequence[AnnotationRow]
    ) -> Iterator[Any]:
        rows = [row for row in of_source if row.mask.class_id in (NO_CLASS, *selection.class_ids)]
        good = [row for row in rows if row.mask.runs != REJECTED_RUNS]
        counted = sum(self.owners[selection.split, row.source, row.mask.class_id] == number for row in good)
        try:
            _check_complete(rows, good)
            _check_size(good)
            group = group_of(image.image_id, good, self.group_pattern, image.group)
        except DataError as error:
            if good or not rows:
                rejected = Rejected(
                    source=good[0].mask.line if good else image.image.path,
                    image_id=image.image_id,
                    class_id=selection.class_ids[0] if len(selection.class_ids) == 1 and good else None,
                    code=error.code.value,
                    message=error.message,
                    rows=counted,
                )
                yield beam.pvalue.TaggedOutput("rejected", rejected)
            return
        spec = ExampleSpec(
            image_id=image.image_id,
            image=image.image,
            rows=tuple(_of_selection(row.mask, selection) for row in good),
            counted_rows=counted,
            group=group,
        )
        if self._is_wanted(spec):
            yield SelectedExample(number, good[0].file_index if good else None, spec)
        elif counted:
            yield beam.pvalue.TaggedOutput("tallies", (UNWANTED_NEGATIVE, counted))

    def _is_wanted(self, spec: ExampleSpec) -> bool:
        if spec.class_ids:
            return True
        if self.negatives is None:
            return bool(spec.rows)
        return hash_image(spec.image_id, self.salt).sample < hash_bound(self.negatives)


def _of_selection(mask: MaskRow, selection: Selection) -> MaskRow:
    """Gives the row of an image without a defect, if it names no class, one of the selection: it says the same."""
    return mask if mask.class_id != NO_CLASS else mask._replace(class_id=selection.class_ids[0])


def _check_complete(rows: Sequence[AnnotationRow], good: Sequence[AnnotationRow]) -> None:
    """Raises if a rejected row may belong to the mask, which the good rows alone would leave incomplete.

    A rejected row of unknown class counts as one of another class if the good rows have a defect; otherwise the image
    could pass for one without defects.
    """
    unknown = sum(row.mask.class_id == NO_CLASS and row.mask.runs == REJECTED_RUNS for row in rows)
    has_defects = any(row.mask.runs != EMPTY_RUNS for row in good)
    if len(good) < len(rows) - (unknown if has_defects else 0):
        raise DataError(
            Code.MASK_INCOMPLETE,
            "another row of the image is rejected, so its mask would be incomplete; correct or remove that row",
        )


def _check_size(rows: Sequence[AnnotationRow]) -> None:
    """Raises if the rows, as one example, are too large for a shuffle."""
    size = sum(len(row.mask.runs) + len(row.mask.line.path.encode()) + ROW_BYTES for row in rows)
    if size > MAX_ELEMENT_BYTES:
        raise DataError(
            Code.RLE_TOO_LONG,
            f"its {len(rows)} rows take {size} bytes when packed, more than the {MAX_ELEMENT_BYTES} allowed; merge "
            "runs that touch or overlap",
        )


def group_of(image_id: str, rows: Iterable[AnnotationRow], pattern: str | None, listed: str | None = None) -> str:
    """Returns the group of an image, "" if groups are not used.

    Args:
        image_id: file name of the image.
        rows: rows of the image; they hold its group if a column names it.
        pattern: regular expression whose first bracket, or whole match, in the ImageId is the group; None if the rows
            hold it.
        listed: see `AnnotatedImage.group`.

    Raises:
        DataError: the image has no group, or several.
    """
    if listed is not None:
        if not listed:
            problem = "the file of maskmill.groups has no line of it; add one with its ImageId and group"
            raise DataError(Code.GROUP_INVALID, problem)
        return listed
    if pattern is not None:
        if not (found := re.search(pattern, image_id)) or not (group := found[min(1, found.re.groups)]):
            problem = f"maskmill.group_pattern, {pattern!r}, finds no group in its name; correct one of them"
            raise DataError(Code.GROUP_INVALID, problem)
        return group
    groups = sorted({row.group for row in rows})
    if len(groups) > 1:
        raise DataError(
            Code.GROUP_INVALID,
            f"its rows name the groups {groups[0]!r} and {groups[1]!r}; an image must be in one: correct its rows",
        )
    return groups[0] if groups else ""


@dataclasses.dataclass(kw_only=True, eq=False)
class SelectExamples(beam.PTransform):
    """Selects the examples that annotated images become.

    Attributes:
        selections: an image becomes at most one example of each; see `splits.selections_of`.
        negatives: share of the images without a defect that become examples, sampled by hash; None uses exactly those
            with a row that says `-1`.
        salt: goes into the hash of each ImageId.
        group_pattern: regular expression that finds an image's group in its ImageId; None if its rows name it.
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
