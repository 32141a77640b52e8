"""Image and mask of an example as they stand in its shard."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from maskmill.transforms.examples.label import LabelFormat
from maskmill.transforms.examples.rle import ClassMask
from maskmill.transforms.shards.deflate_runs import deflate_runs


class EncodedExample(NamedTuple):
    """An example as it stands in the file.

    Attributes:
        image: uint8 [1, H, W].
        label_chunks: offset in the label, and deflated bytes, of each chunk.
        overlap: pixels that are of several classes.
    """

    image: NDArray[np.uint8]
    label_chunks: tuple[tuple[tuple[int, ...], bytes], ...]
    overlap: int = 0


def encode_example(image: NDArray[np.uint8], mask: ClassMask, form: LabelFormat) -> EncodedExample:
    """Makes and compresses a label, chunk by chunk, and never as a whole.

    Args:
        image: uint8 [H, W].
        mask: of the classes, [H, W], C order; see `LabelFormat`.
        form: of the label.
    """
    chunks = ((offset, deflate_runs(chunk, form.numbers)) for offset, chunk in form.chunks(mask))
    return EncodedExample(image[np.newaxis], tuple(chunks), form.overlap(mask))
