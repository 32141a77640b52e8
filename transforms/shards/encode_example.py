"""Encodes image and mask of an example as they are stored in its shard, and measures them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from maskmill.transforms.examples.label import LabelFormat
from maskmill.transforms.examples.measure import Measures, count_areas, measure
from maskmill.transforms.examples.rle import ClassMask
from maskmill.transforms.shards.label_compression import compress_chunk


class EncodedExample(NamedTuple):
    """An example as it is stored in the file.

    Attributes:
        image: uint8 [1, H, W].
        label_chunks: offset in the label, and compressed bytes, of each chunk.
        measures: of image and label.
        overlap: number of pixels with several classes.
    """

    image: NDArray[np.uint8]
    label_chunks: tuple[tuple[tuple[int, ...], bytes], ...]
    measures: Measures
    overlap: int = 0


def encode_example(image: NDArray[np.uint8], mask: ClassMask, form: LabelFormat) -> EncodedExample:
    """Makes, measures and compresses a label chunk by chunk; the whole label is never in memory.

    Args:
        image: uint8 [H, W], C order.
        mask: all classes in one array [H, W], C order; see `LabelFormat`.
        form: of the label.
    """
    chunks, areas = [], np.zeros(form.num_areas, np.int64)
    for offset, chunk in form.chunks(mask):
        chunks.append((offset, compress_chunk(chunk, form.numbers)))
        areas += count_areas(chunk, form, channel=offset[0])
    return EncodedExample(image[np.newaxis], tuple(chunks), measure(image, areas), form.overlap(mask))
