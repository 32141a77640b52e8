"""Encodes image and mask of an example as they are stored in its shard."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from maskmill.transforms.examples.label import LabelFormat
from maskmill.transforms.examples.rle import ClassMask
from maskmill.transforms.shards.label_compression import compress_chunk


class EncodedExample(NamedTuple):
    """An example as it is stored in the file.

    Attributes:
        image: uint8 [1, H, W].
        label_chunks: offset in the label, and compressed bytes, of each chunk.
        overlap: number of pixels with several classes.
    """

    image: NDArray[np.uint8]
    label_chunks: tuple[tuple[tuple[int, ...], bytes], ...]
    overlap: int = 0


def encode_example(image: NDArray[np.uint8], mask: ClassMask, form: LabelFormat) -> EncodedExample:
    """Makes and compresses a label chunk by chunk; the whole label is never in memory.

    Args:
        image: uint8 [H, W].
        mask: all classes in one array [H, W], C order; see `LabelFormat`.
        form: of the label.
    """
    chunks = ((offset, compress_chunk(chunk, form.numbers)) for offset, chunk in form.chunks(mask))
    return EncodedExample(image[np.newaxis], tuple(chunks), form.overlap(mask))
