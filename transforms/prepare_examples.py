"""Specifications of examples to what stands in their shard: the work that is spread over cores.

It needs neither Beam nor HDF5, so that a process for it begins quickly and is small.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from transforms.encode_example import EncodedExample, encode_example
from transforms.example import ExampleFormat, ExampleSpec, make_planes, row_of
from transforms.rejected import DataError
from transforms.shared_images import put_images

NO_IMAGE = np.empty((1, 0, 0), np.uint8)


class RefusedExample(NamedTuple):
    """Why an example cannot be made.

    Attributes:
        row: index of the bad row in the example; None where it is the image that is bad.
        code: the reason, a value of `Code`.
        message: what is wrong, and what to do.
    """

    row: int | None
    code: str
    message: str


def prepare_examples(
    group: Sequence[tuple[ExampleSpec, bytes | None]], form: ExampleFormat
) -> list[EncodedExample | RefusedExample]:
    """Decodes and encodes examples.

    Args:
        group: the examples, each with the bytes of its image; None where they are still to be read from a local file.
        form: of the examples.

    Raises:
        OSError: an image cannot be read.
    """
    return [_prepare(spec, _read(spec.image.path) if data is None else data, form) for spec, data in group]


def prepare_elsewhere(
    placed: tuple[int, Sequence[tuple[ExampleSpec, bytes | None]]], form: ExampleFormat, path: str
) -> list[EncodedExample | RefusedExample]:
    """`prepare_examples` in another process than the one that writes the shard.

    Args:
        placed: the place of the first example's image in the file of `shared_images`, and the examples.
        form: of the examples.
        path: of that file, where the images are left; the examples come back without them.

    Raises:
        OSError: an image cannot be read, or the disk is full.
    """
    first_place, group = placed
    prepared = prepare_examples(group, form)
    put_images(path, first_place, [one.image if isinstance(one, EncodedExample) else None for one in prepared])
    return [one._replace(image=NO_IMAGE) if isinstance(one, EncodedExample) else one for one in prepared]


def _prepare(spec: ExampleSpec, data: bytes, form: ExampleFormat) -> EncodedExample | RefusedExample:
    try:
        image, mask = make_planes(spec, data, form)
    except DataError as error:
        return RefusedExample(row_of(error), error.code.value, error.message)
    return encode_example(image, mask, form.label)


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()
