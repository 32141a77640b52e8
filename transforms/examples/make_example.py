"""An example: what it is made from, the form that it is to have, and the arrays."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from maskmill.transforms.examples.image import MAX_PIXELS, decode_grey
from maskmill.transforms.examples.label import Label, LabelFormat
from maskmill.transforms.examples.resize import resize_bicubic, resize_mask, tile
from maskmill.transforms.examples.rle import EMPTY_RUNS, ClassMask, runs_to_mask, unpack_runs
from maskmill.transforms.rejected import DataError, Line


class ImageFile(NamedTuple):
    """What a listing of the image folder says of a file.

    Attributes:
        path: of the file, as `FileSystems` takes it.
        size: in bytes.
        modified: seconds since the epoch.
    """

    path: str
    size: int
    modified: float


class MaskRow(NamedTuple):
    """One row's part in an example.

    Attributes:
        line: where it stands.
        class_id: number of its class, from 1.
        runs: packed by `rle.pack_runs`.
    """

    line: Line
    class_id: int
    runs: bytes


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


class Example(NamedTuple):
    """An example's arrays: image uint8 [1, H, W]; label by loss (see `LabelFormat`)."""

    image: NDArray[np.uint8]
    label: Label


class RowError(DataError):
    """A `DataError` of one of an example's rows, rather than of its image.

    Attributes:
        row: index of the row in the example.
    """

    def __init__(self, error: DataError, row: int) -> None:
        super().__init__(error.code, error.message)
        self.row = row


def row_of(error: DataError) -> int | None:
    """Index of the example's row whose fault an error is; None where it is the image's."""
    return error.row if isinstance(error, RowError) else None


class DecodedImage(NamedTuple):
    """An image as an example has it: uint8 [H, W], in C order; and the (height, width) of its file, in pixels."""

    pixels: NDArray[np.uint8]
    stored_size: tuple[int, int]


def make_image(data: bytes, form: ExampleFormat) -> DecodedImage:
    """Decodes, resizes and tiles an image.

    Args:
        data: the bytes of the image file.
        form: the form that the example is to have.

    Raises:
        DataError: the image cannot be decoded.
    """
    pixels = decode_grey(data, form.max_pixels)
    height, width = pixels.shape
    return DecodedImage(np.ascontiguousarray(tile(resize_bicubic(pixels, *form.resized), *form.size)), (height, width))


def make_mask(rows: Sequence[MaskRow], stored_size: tuple[int, int], form: ExampleFormat) -> ClassMask:
    """Draws, resizes and tiles the mask of an image.

    Args:
        rows: of the image.
        stored_size: (height, width) of the image file, in pixels.
        form: the form that the example is to have.

    Returns:
        [H, W], in C order; see `LabelFormat`.

    Raises:
        RowError: a run of a row ends past the image.
    """
    return resize_mask(_draw(rows, form.label, *stored_size), form.resized, form.size)


def _draw(rows: Sequence[MaskRow], label: LabelFormat, height: int, width: int) -> ClassMask:
    mask: ClassMask | None = None
    for index, row in enumerate(rows):
        try:
            drawn = label.class_mask(runs_to_mask(unpack_runs(row.runs), height, width), row.class_id)
        except DataError as error:
            raise RowError(error, index) from error
        mask = drawn if mask is None else mask | drawn
    # Column by column, as runs are drawn.
    return np.zeros((width, height), label.mask_dtype).T if mask is None else mask


def make_example(spec: ExampleSpec, data: bytes, form: ExampleFormat) -> Example:
    """An example's arrays, whole; arguments and errors are those of `make_image` and `make_mask`."""
    image = make_image(data, form)
    return Example(image.pixels[np.newaxis], form.label.label(make_mask(spec.rows, image.stored_size, form)))
