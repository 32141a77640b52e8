"""Makes the arrays of an example from its image file and its rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from maskmill.transforms.annotations.records import MaskRow
from maskmill.transforms.examples.draw_mask import draw_mask
from maskmill.transforms.examples.image import decode_planes
from maskmill.transforms.examples.label import Label
from maskmill.transforms.examples.resize import Item, resize_bicubic, tile
from maskmill.transforms.examples.rle import ClassMask, unpack_runs
from maskmill.transforms.examples.spec import ExampleFormat, ExampleSpec
from maskmill.transforms.examples.view import view_of
from maskmill.transforms.rejected import DataError
from maskmill.views import View


class ExampleArrays(NamedTuple):
    """The arrays of an example: image, uint8 [channels, H, W]; label, see `label.LabelFormat`."""

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
    """The image of an example, uint8 [channels, H, W] in C order, and what it shows of its file."""

    pixels: NDArray[np.uint8]
    view: View


def make_image(data: bytes, form: ExampleFormat) -> DecodedImage:
    """Decodes, resizes, and tiles or pads an image.

    Args:
        data: content of the image file.
        form: of the example.

    Raises:
        DataError: the image cannot be decoded.
    """
    planes = decode_planes(data, form.max_pixels, rgb=form.colour == "rgb")
    height, width = planes.shape[1:]
    view = view_of((height, width), form.resized, form.resize)
    resized = [resize_bicubic(plane, *view.valid.size) for plane in view.shown.cut(planes)]
    finished = [_lay_out(plane, view, form) for plane in resized] * (form.channels // len(planes))
    return DecodedImage(finished[0][np.newaxis] if len(finished) == 1 else np.stack(finished), view)


def _lay_out(plane: NDArray[Item], view: View, form: ExampleFormat) -> NDArray[Item]:
    """Tiles, or pads with 0, what was resized for the valid box of an example; [H, W], C order."""
    if form.resize != "pad" or plane.shape == form.size:
        return tile(np.ascontiguousarray(plane), *form.size)
    padded = np.zeros(form.size, plane.dtype)
    view.valid.cut(padded)[...] = plane
    return padded


def make_mask(rows: Sequence[MaskRow], stored_size: tuple[int, int], form: ExampleFormat) -> ClassMask:
    """Draws, resizes, and tiles or pads the masks of an image.

    Args:
        rows: of the image.
        stored_size: (height, width) of the image file, in pixels.
        form: of the example.

    Returns:
        all classes in one array [H, W], C order; see `label.LabelFormat`.

    Raises:
        RowError: a run of a row ends past the image.
    """
    view = view_of(stored_size, form.resized, form.resize)
    resized = view.valid.size
    mask: ClassMask | None = None
    for index, row in enumerate(rows):
        try:
            drawn = draw_mask(unpack_runs(row.runs), stored_size, resized, by_rows=form.by_rows, shown=view.shown)
        except DataError as error:
            raise RowError(error, index) from error
        of_class = form.label.class_mask(drawn, row.class_id)
        mask = of_class if mask is None else mask | of_class
    return _lay_out(np.zeros(resized, form.label.mask_dtype) if mask is None else mask, view, form)


def make_example(spec: ExampleSpec, data: bytes, form: ExampleFormat) -> ExampleArrays:
    """Makes the arrays of an example; arguments and errors are those of `make_image` and `make_mask`."""
    image = make_image(data, form)
    return ExampleArrays(image.pixels, form.label.label(make_mask(spec.rows, image.view.image_size, form)))
