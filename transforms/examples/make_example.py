"""An example: what it is made from, the form that it is to have, and the arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from maskmill.transforms.annotations.records import MaskRow
from maskmill.transforms.examples.image import decode_grey
from maskmill.transforms.examples.label import Label, LabelFormat
from maskmill.transforms.examples.resize import resize_bicubic, resize_mask, tile
from maskmill.transforms.examples.rle import ClassMask, runs_to_mask, unpack_runs
from maskmill.transforms.examples.spec import ExampleFormat, ExampleSpec
from maskmill.transforms.rejected import DataError


class ExampleArrays(NamedTuple):
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


def make_example(spec: ExampleSpec, data: bytes, form: ExampleFormat) -> ExampleArrays:
    """An example's arrays, whole; arguments and errors are those of `make_image` and `make_mask`."""
    image = make_image(data, form)
    return ExampleArrays(image.pixels[np.newaxis], form.label.label(make_mask(spec.rows, image.stored_size, form)))
