"""Defines what an example is made from, without a pixel, and the form that it gets."""

from __future__ import annotations

import sys
from typing import NamedTuple

from maskmill.names import ARRAYS, GROUPS
from maskmill.transforms.annotations.records import ImageFile, MaskRow
from maskmill.transforms.codec import Codec, Plain
from maskmill.transforms.examples.crops import CropFormat
from maskmill.transforms.examples.image import MAX_PIXELS
from maskmill.transforms.examples.label import LabelFormat
from maskmill.transforms.examples.rle import EMPTY_RUNS
from maskmill.transforms.rejected import Line


class ExampleSpec(NamedTuple):
    """Specifies an example: its image file and its rows, without a pixel.

    Attributes:
        image_id: file name of the image.
        image: the image file; its path ends with `image_id`.
        rows: in the order of the CSV; the mask of a class is the union of its rows. Empty if the CSV has no row of the
            image.
        counted_rows: number of rows to count with this example; 0 if another split counts them.
        group: of the image; "" if groups are not used.
    """

    image_id: str
    image: ImageFile
    rows: tuple[MaskRow, ...]
    counted_rows: int
    group: str = ""

    @property
    def class_ids(self) -> set[int]:
        """The classes with a defect in the image, before it is resized."""
        return {row.class_id for row in self.rows if row.runs != EMPTY_RUNS}


def _spec_to_plain(spec: ExampleSpec) -> Plain:
    path, size, modified = spec.image
    folder = sys.intern(path.removesuffix(spec.image_id))
    rows = [(sys.intern(line.path), line.block, line.line, class_id, runs) for line, class_id, runs in spec.rows]
    return spec.image_id, folder, size, modified, rows, spec.counted_rows, spec.group


def _spec_from_plain(plain: Plain) -> ExampleSpec:
    image_id, folder, size, modified, rows, counted_rows, group = plain
    masks = tuple([MaskRow(Line(*line), class_id, runs) for *line, class_id, runs in rows])
    return ExampleSpec(image_id, ImageFile(f"{folder}{image_id}", size, modified), masks, counted_rows, group)


def _size_of_spec(spec: ExampleSpec) -> int:
    return len(spec.image_id) + len(spec.image.path) + 100 + sum(len(row.runs) + 50 for row in spec.rows)


SPEC_CODEC = Codec(_spec_to_plain, _spec_from_plain, _size_of_spec)


class ExampleFormat(NamedTuple):
    """The form of a split's examples.

    Attributes:
        resized: (height, width) of image and mask after resizing, in pixels.
        label: form of the label; `resized` is tiled to its height and width; with `pad` and `crop` they are equal.
        max_pixels: an image file with more pixels is rejected.
        by_rows: whether runs number pixels along the rows instead of down the columns.
        records_views: whether shards record the view of each example.
        colour: `grey` or `rgb`.
        resize: `stretch`, `pad` or `crop`; see `view`.
        layout: `groups` or `arrays`; see `group_layout` and `array_layout`.
        crops: how images are cut into examples; None if each is one example.
        labelled: whether examples have a label; without one, `label` still says their size.
    """

    resized: tuple[int, int]
    label: LabelFormat
    max_pixels: int = MAX_PIXELS
    by_rows: bool = False
    records_views: bool = False
    colour: str = "grey"
    resize: str = "stretch"
    layout: str = GROUPS
    crops: CropFormat | None = None
    labelled: bool = True

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of image and label, in pixels."""
        return self.label.height, self.label.width

    @property
    def num_areas(self) -> int:
        """Number of classes that the label distinguishes; 0 without a label."""
        return self.label.num_areas if self.labelled else 0

    @property
    def channels(self) -> int:
        """Number of channels of an image."""
        return 3 if self.colour == "rgb" else 1

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Shape of an image."""
        return self.channels, *self.size

    @property
    def label_chunk_shape(self) -> tuple[int, ...]:
        """Shape of a chunk of the label in its file."""
        return self.label.largest_chunk_shape if self.layout == ARRAYS else self.label.chunk_shape
