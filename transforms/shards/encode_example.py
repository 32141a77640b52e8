"""Encodes image and mask of an example as they are stored in its shard, and measures them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from maskmill.transforms.examples.measure import Measures, count_areas, measure
from maskmill.transforms.examples.rle import ClassMask
from maskmill.transforms.examples.spec import ExampleFormat
from maskmill.transforms.shards.label_compression import compress_chunk
from maskmill.views import View


class EncodedExample(NamedTuple):
    """An example as it is stored in the file.

    Attributes:
        image: uint8 [channels, H, W].
        label_chunks: offset in the label, and compressed bytes, of each chunk.
        measures: of image and label.
        overlap: number of pixels with several classes.
        view: what the example shows of its image file.
    """

    image: NDArray[np.uint8]
    label_chunks: tuple[tuple[tuple[int, ...], bytes], ...]
    measures: Measures
    overlap: int
    view: View


def encode_example(image: NDArray[np.uint8], mask: ClassMask, view: View, form: ExampleFormat) -> EncodedExample:
    """Makes, measures and compresses a label chunk by chunk; the whole label is never in memory.

    Args:
        image: uint8 [channels, H, W], C order.
        mask: all classes in one array [H, W], C order; see `LabelFormat`.
        view: what they show of the image file.
        form: of the example.
    """
    label = form.label
    chunks, areas = [], np.zeros(form.num_areas, np.int64)
    if not form.labelled:
        return EncodedExample(image, (), _measure(image, areas, view, form), 0, view)
    for offset, chunk in label.chunks(mask):
        chunks.append((offset, compress_chunk(chunk, label.numbers)))
        areas += count_areas(chunk, label, channel=offset[0])
    return EncodedExample(image, tuple(chunks), _measure(image, areas, view, form), label.overlap(mask), view)


def _measure(image: NDArray[np.uint8], areas: NDArray[np.int64], view: View, form: ExampleFormat) -> Measures:
    """Measures an image; where its view is recorded, without padding and repetitions."""
    return measure(np.ascontiguousarray(view.valid.cut(image)) if form.records_views else image, areas)
