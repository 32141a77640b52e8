"""Decodes and encodes examples for their shard: the work that is spread over the cores.

This module imports neither Beam nor HDF5, so that a process for it starts quickly and stays small.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from maskmill.transforms.examples.crops import most_crops
from maskmill.transforms.examples.make_crops import make_crops
from maskmill.transforms.examples.make_example import DecodedImage, RowError, make_image, make_mask
from maskmill.transforms.examples.rle import ClassMask
from maskmill.transforms.examples.spec import ExampleFormat, ExampleSpec
from maskmill.transforms.rejected import DataError
from maskmill.transforms.shards.encode_example import EncodedExample, encode_example
from maskmill.transforms.shards.records import RejectedExample
from maskmill.views import View

# Examples that are made together, if that many fit: the code of each step stays in the processor's caches, and passing
# them on has its cost once a group.
GROUP = 8
GROUP_BYTES = 2**21

Item = TypeVar("Item")
# Images, each with the bytes of its file; None if a local file is still to be read.
Group = Sequence[tuple[ExampleSpec, bytes | None]]
# The examples that an image becomes, in order, or why it becomes none.
PreparedImage = Sequence[EncodedExample] | RejectedExample


def bytes_of_image(form: ExampleFormat) -> int:
    """Returns the most bytes that the pixels of all examples of an image take."""
    return math.prod(form.image_shape) * most_crops(form.crops)


def group_for(form: ExampleFormat, images: int, workers: int, read: int) -> int:
    """Returns the number of images in a group.

    Args:
        form: of the examples.
        images: in the shard.
        workers: threads that share the shard.
        read: most bytes of an image file that is read ahead.
    """
    return max(1, min(GROUP, GROUP_BYTES // max(bytes_of_image(form), read), -(-images // workers)))


def in_groups(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Yields items in lists of a size; the last one may be shorter."""
    remaining = iter(items)
    while group := list(itertools.islice(remaining, size)):
        yield group


def rejected_by(error: DataError) -> RejectedExample:
    """Says why an example cannot be made, given the error."""
    row = error.row if isinstance(error, RowError) else None
    return RejectedExample(row=row, code=error.code.value, message=error.message)


def prepare_examples(group: Group, form: ExampleFormat) -> list[PreparedImage]:
    """Decodes and encodes examples.

    Args:
        group: the images.
        form: of the examples.

    Raises:
        OSError: an image cannot be read.
    """
    if form.crops is not None:
        return [_prepare_crops(spec, data, form) for spec, data in group]
    # Step by step instead of example by example: the code of a step stays in the processor's caches.
    images = [_make_image(spec, data, form) for spec, data in group]
    planes = [_add_mask(image, spec, form) for image, (spec, _) in zip(images, group, strict=True)]
    return [one if isinstance(one, RejectedExample) else [encode_example(*one, form)] for one in planes]


def _prepare_crops(spec: ExampleSpec, data: bytes | None, form: ExampleFormat) -> PreparedImage:
    try:
        crops = make_crops(spec, _read(spec.image.path) if data is None else data, form)
    except DataError as error:
        return rejected_by(error)
    return [encode_example(crop.pixels, crop.mask, crop.view, form) for crop in crops]


def _make_image(spec: ExampleSpec, data: bytes | None, form: ExampleFormat) -> DecodedImage | RejectedExample:
    try:
        return make_image(_read(spec.image.path) if data is None else data, form)
    except DataError as error:
        return rejected_by(error)


def _add_mask(
    image: DecodedImage | RejectedExample, spec: ExampleSpec, form: ExampleFormat
) -> tuple[NDArray[np.uint8], ClassMask, View] | RejectedExample:
    if isinstance(image, RejectedExample):
        return image
    try:
        return image.pixels, make_mask(spec.rows, image.view.image_size, form), image.view
    except RowError as error:
        return rejected_by(error)


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()
