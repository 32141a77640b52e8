"""Makes the arrays of an example from its image file and its rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from maskmill.transforms.annotations.records import MaskRow
from maskmill.transforms.examples.draw_mask import draw_mask
from maskmill.transforms.examples.image import decode_grey
from maskmill.transforms.examples.label import Label
from maskmill.transforms.examples.resize import resize_bicubic, tile
from maskmill.transforms.examples.rle import ClassMask, unpack_runs
from maskmill.transforms.examples.spec import ExampleFormat, ExampleSpec
from maskmill.transforms.examples.view import whole_view
from maskmill.transforms.rejected import DataError
from maskmill.views import View


class ExampleArrays(NamedTuple):
    """The arrays of an example: image, uint8 [1, H, W]; label, see `label.LabelFormat`."""

    image: NDArray[np.uint8]
    label: Label


class RowError(DataError):
    """One of an example's rows is bad, not its image.

    Attributes:
        row: index of the row in the example.
    """

    def __init__(self, error: DataError, row: int) -> None:
        super().__init__(error.code, error.message)
        self.row = row


class DecodedImage(NamedTuple):
    """The image of an example, uint8 [H, W] in C order, and what it shows of its file."""

    pixels: NDArray[np.uint8]
    view: View


def make_image(data: bytes, form: ExampleFormat) -> DecodedImage:
    """Decodes, resizes and tiles an image.

    Args:
        data: content of the image file.
        form: of the example.

    Raises:
        DataError: the image cannot be decoded.
    """
    pixels = decode_grey(data, form.max_pixels)
    height, width = pixels.shape
    resized = np.ascontiguousarray(resize_bicubic(pixels, *form.resized))
    return DecodedImage(tile(resized, *form.size), whole_view((height, width), form.resized))


def make_mask(rows: Sequence[MaskRow], stored_size: tuple[int, int], form: ExampleFormat) -> ClassMask:
    """Draws, resizes and tiles the masks of an image.

    Args:
        rows: of the image.
        stored_size: (height, width) of the image file, in pixels.
        form: of the example.

    Returns:
        all classes in one array [H, W], C order; see `label.LabelFormat`.

    Raises:
        RowError: a run of a row ends past the image.
    """
    mask = draw_classes(rows, stored_size, form.resized, form)
    return tile(np.zeros(form.resized, form.label.mask_dtype) if mask is None else mask, *form.size)


def draw_classes(
    rows: Sequence[MaskRow], stored_size: tuple[int, int], resized: tuple[int, int], form: ExampleFormat
) -> ClassMask | None:
    """Draws and resizes the masks of an image.

    Args:
        rows: of the image.
        stored_size: (height, width) of the image file, in pixels.
        resized: (height, width) of the result.
        form: of the example.

    Returns:
        all classes in one array of the size `resized`, C order; None without rows.

    Raises:
        RowError: a run of a row ends past the image.
    """
    mask: ClassMask | None = None
    for index, row in enumerate(rows):
        try:
            drawn = draw_mask(unpack_runs(row.runs), stored_size, resized, by_rows=form.by_rows)
        except DataError as error:
            raise RowError(error, index) from error
        of_class = form.label.class_mask(drawn, row.class_id)
        mask = of_class if mask is None else mask | of_class
    return mask


def make_example(spec: ExampleSpec, data: bytes, form: ExampleFormat) -> ExampleArrays:
    """Makes the arrays of an example; arguments and errors are those of `make_image` and `make_mask`."""
    image = make_image(data, form)
    return ExampleArrays(image.pixels[np.newaxis], form.label.label(make_mask(spec.rows, image.view.image_size, form)))
