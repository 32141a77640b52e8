"""Encodes image and mask of an example as they are stored in its shard, and measures them."""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from maskmill.names import ARRAYS
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


class _EncodedLabel(NamedTuple):
    """A label as it is stored, its areas, and its overlap; see `EncodedExample`."""

    chunks: tuple[tuple[tuple[int, ...], bytes], ...]
    areas: NDArray[np.int64]
    overlap: int


def encode_example(image: NDArray[np.uint8], mask: ClassMask | None, view: View, form: ExampleFormat) -> EncodedExample:
    """Makes, measures and compresses a label chunk by chunk; the whole label is never in memory.

    Args:
        image: uint8 [channels, H, W], C order.
        mask: all classes in one array [H, W], C order; see `LabelFormat`. None is a mask without a pixel.
        view: what they show of the image file.
        form: of the example.
    """
    label = _empty_label(form) if mask is None else _encode_label(mask, form)
    return EncodedExample(image, label.chunks, _measure(image, label.areas, view, form), label.overlap, view)


@functools.lru_cache(maxsize=8)
def _empty_label(form: ExampleFormat) -> _EncodedLabel:
    return _encode_label(np.zeros(form.size, form.label.mask_dtype), form)


def _encode_label(mask: ClassMask, form: ExampleFormat) -> _EncodedLabel:
    label = form.label
    chunks, areas = [], np.zeros(form.num_areas, np.int64)
    if not form.labelled:
        return _EncodedLabel((), areas, 0)
    for offset, chunk in label.chunks(mask, largest=form.layout == ARRAYS):
        chunks.append((offset, compress_chunk(chunk, label.numbers)))
        areas += count_areas(chunk, label, channel=offset[0])
    return _EncodedLabel(tuple(chunks), areas, label.overlap(mask))


def _measure(image: NDArray[np.uint8], areas: NDArray[np.int64], view: View, form: ExampleFormat) -> Measures:
    """Measures an image; where its view is recorded, without padding and repetitions."""
    return measure(np.ascontiguousarray(view.valid.cut(image)) if form.records_views else image, areas)
