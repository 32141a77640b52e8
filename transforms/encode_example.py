"""Image and mask of an example as they stand in its shard."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from transforms.deflate_runs import deflate_runs
from transforms.label import LabelFormat


class EncodedExample(NamedTuple):
    """An example as it stands in the file.

    Attributes:
        image: uint8 [1, H, W].
        label_chunks: offset in the label, and deflated bytes, of each chunk.
    """

    image: NDArray[np.uint8]
    label_chunks: tuple[tuple[tuple[int, ...], bytes], ...]


def encode_example(image: NDArray[np.uint8], mask: NDArray[np.uint8], form: LabelFormat) -> EncodedExample:
    """Makes and compresses a label, chunk by chunk, and never as a whole.

    Args:
        image: uint8 [H, W].
        mask: uint8 [H, W] of 0 and 1, C order.
        form: of the label.
    """
    chunks = ((offset, deflate_runs(chunk, form.numbers)) for offset, chunk in form.chunks(mask))
    return EncodedExample(image[np.newaxis], tuple(chunks))
