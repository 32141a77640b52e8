"""Makes the examples that an image is cut into: it is decoded once, and its mask is drawn once."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from maskmill.transforms.examples.crops import CropFormat, kept_crops, view_of_crop
from maskmill.transforms.examples.image import decode_planes
from maskmill.transforms.examples.make_example import draw_classes
from maskmill.transforms.examples.resize import Item, resize_bicubic, resize_mask
from maskmill.transforms.examples.rle import ClassMask
from maskmill.transforms.examples.spec import ExampleFormat, ExampleSpec
from maskmill.transforms.examples.view import view_of
from maskmill.transforms.rejected import Code, DataError
from maskmill.views import View


class MadeCrop(NamedTuple):
    """An example that shows a crop of its image.

    Attributes:
        pixels: uint8 [channels, H, W], C order.
        mask: all classes in one array [H, W], C order; see `label.LabelFormat`. None if the crop has no defect.
        view: what it shows.
    """

    pixels: NDArray[np.uint8]
    mask: ClassMask | None
    view: View


def make_crops(spec: ExampleSpec, data: bytes, form: ExampleFormat) -> list[MadeCrop]:
    """Makes the examples of an image, in order.

    Args:
        spec: of the image.
        data: content of the image file.
        form: of the examples, with `crops`.

    Raises:
        DataError: the image cannot be decoded, or has not the size of `crops.source`.
        RowError: a run of a row ends past the image.
    """
    assert form.crops is not None
    planes = decode_planes(data, form.max_pixels, rgb=form.colour == "rgb")
    check_source((planes.shape[1], planes.shape[2]), form.crops)
    mask = draw_classes(spec.rows, view_of(form.crops.source, form.crops.source, "stretch"), form)
    crops = kept_crops(spec, form.crops, by_rows=form.by_rows)
    return [_make_crop(planes, mask if crop.class_ids else None, (crop.top, crop.left), form) for crop in crops]


def check_source(stored_size: tuple[int, int], crops: CropFormat) -> None:
    """Raises DataError if an image of the size (height, width) is not one of those to be cut."""
    if stored_size != crops.source:
        height, width = stored_size
        raise DataError(
            Code.IMAGE_OTHER_SIZE,
            f"the image has {height} x {width} pixels, and maskmill.crops.source says {crops.source[0]} x "
            f"{crops.source[1]}; correct source, or leave the image out with maskmill.exclude",
        )


def _make_crop(
    planes: NDArray[np.uint8], mask: ClassMask | None, crop: tuple[int, int], form: ExampleFormat
) -> MadeCrop:
    assert form.crops is not None
    view = view_of_crop(crop, form.crops, form.resized)
    resized = [_pad(resize_bicubic(plane, *view.valid.size), form.resized) for plane in view.shown.cut(planes)]
    image = resized[0][np.newaxis] if form.channels == 1 else np.stack(resized * (form.channels // len(planes)))
    if mask is None:
        return MadeCrop(image, None, view)
    part = view.shown.cut(mask)
    if part.shape != view.valid.size:  # else a copy would be made column by column
        part = resize_mask(part, *view.valid.size)
    return MadeCrop(image, _pad(part, form.resized), view)


def _pad(part: NDArray[Item], size: tuple[int, int]) -> NDArray[Item]:
    """Continues an array with zeros, to the right and below; C order."""
    if part.shape == size:
        return np.ascontiguousarray(part)
    padded = np.zeros(size, part.dtype)
    padded[: part.shape[0], : part.shape[1]] = part
    return padded
