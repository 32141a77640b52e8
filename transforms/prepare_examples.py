"""Specifications of examples to what stands in their shard: the work that is spread over cores.

It needs neither Beam nor HDF5, so that a process for it begins quickly and is small.
"""

from __future__ import annotations

from collections.abc import Sequence

from transforms.encode_example import EncodedExample, encode_example
from transforms.example import ExampleFormat, ExampleSpec, make_planes
from transforms.rejected import DataError


def prepare_examples(
    group: Sequence[tuple[ExampleSpec, bytes | None]], form: ExampleFormat
) -> list[EncodedExample | DataError]:
    """Decodes and encodes examples; what is wrong with their images or rows is data.

    Args:
        group: the examples, each with the bytes of its image; None where they are still to be read from a local file.
        form: of the examples.

    Raises:
        OSError: an image cannot be read.
    """
    return [_prepare(spec, _read(spec.image.path) if data is None else data, form) for spec, data in group]


def _prepare(spec: ExampleSpec, data: bytes, form: ExampleFormat) -> EncodedExample | DataError:
    try:
        image, mask = make_planes(spec, data, form)
    except DataError as error:
        return error
    return encode_example(image, mask, form.label)


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()
