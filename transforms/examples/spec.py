"""The specification of an example: all that is needed to make it, without a pixel."""

from __future__ import annotations

import sys
from typing import Any, NamedTuple

from maskmill.transforms.annotations.records import ImageFile, MaskRow
from maskmill.transforms.examples.image import MAX_PIXELS
from maskmill.transforms.examples.label import LabelFormat
from maskmill.transforms.examples.rle import EMPTY_RUNS
from maskmill.transforms.rejected import Line


class ExampleSpec(NamedTuple):
    """Everything that is needed to make an example, without a pixel.

    Attributes:
        image_id: file name of the image.
        image: the image file, whose path ends with it.
        rows: of this image and the classes that were asked for, in the order of the CSV; the mask of a class is their
            union. None where the CSV does not have the image.
        counted_rows: rows that this use of the example accounts for; 0 where another split accounts for them.
        group: that the image is of; "" where it is not asked for.
    """

    image_id: str
    image: ImageFile
    rows: tuple[MaskRow, ...]
    counted_rows: int
    group: str = ""

    @property
    def class_ids(self) -> set[int]:
        """The classes that it has something of, before images and masks are resized."""
        return {row.class_id for row in self.rows if row.runs != EMPTY_RUNS}


def spec_to_plain(spec: ExampleSpec) -> tuple[Any, ...]:
    """An example without the names of its parts, as it crosses a shuffle; what many have in common is one object."""
    path, size, modified = spec.image
    folder = sys.intern(path.removesuffix(spec.image_id))
    rows = [(sys.intern(line.path), line.block, line.line, class_id, runs) for line, class_id, runs in spec.rows]
    return spec.image_id, folder, size, modified, rows, spec.counted_rows, spec.group


def spec_from_plain(plain: tuple[Any, ...]) -> ExampleSpec:
    """Inverse of `spec_to_plain`."""
    image_id, folder, size, modified, rows, counted_rows, group = plain
    masks = tuple([MaskRow(Line(*line), class_id, runs) for *line, class_id, runs in rows])
    return ExampleSpec(image_id, ImageFile(f"{folder}{image_id}", size, modified), masks, counted_rows, group)


def size_of_spec(spec: ExampleSpec) -> int:
    """Estimates what an example takes in a shuffle, in bytes."""
    return len(spec.image_id) + len(spec.image.path) + 100 + sum(len(row.runs) + 50 for row in spec.rows)


class ExampleFormat(NamedTuple):
    """The form of a split's examples.

    Attributes:
        resized: (height, width) that image and mask are resized to, in pixels.
        label: form of the label; its height and width are the example's, to which `resized` is tiled.
        max_pixels: an image of more pixels, as stored, is refused.
    """

    resized: tuple[int, int]
    label: LabelFormat
    max_pixels: int = MAX_PIXELS

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of image and label, in pixels."""
        return self.label.height, self.label.width
