"""Makes the label of an example from the masks of its classes, in the form that each loss of the original reads."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from maskmill.transforms.examples.rle import ClassMask, Mask

MAX_CHUNK_BYTES = 4 * 2**20
# The bits of the largest integer.
MAX_CLASSES = 64

Label = NDArray[np.float32] | NDArray[np.int32] | NDArray[np.uint8]


def rows_per_chunk(dtype: np.dtype[np.generic], height: int, width: int) -> int:
    """Returns the number of rows in a chunk of a label: as many as fit into `MAX_CHUNK_BYTES`, but at least one."""
    return max(1, min(height, MAX_CHUNK_BYTES // (dtype.itemsize * width)))


class LabelFormat(NamedTuple):
    """The form of labels, and of the masks that they are made of.

    | loss           | dtype   | shape             | values                                                       |
    |----------------|---------|-------------------|--------------------------------------------------------------|
    | bce            | float32 | [1, H, W]         | 1 for a pixel of any class                                   |
    | multilabel_bce | float32 | [num_classes,H,W] | channel i is 1 for a pixel of class i; channel 0, of none    |
    | ssce           | int32   | [H, W]            | i for a pixel of class i, the last of several; 0 for none    |

    Class i is the i-th of `classes`. The masks of all classes are one array: bit i - 1 of a pixel is 1 if it belongs to
    class i. With a single class, that is a mask of 0 and 1.

    Attributes:
        loss: one of `LOSSES`.
        num_classes: number of channels with `multilabel_bce`.
        height: H, in pixels.
        width: W, in pixels.
        classes: ids of the classes; labels number them from 1, in this order.
        as_uint8: whether the dtype is uint8 instead.
    """

    loss: str
    num_classes: int
    height: int
    width: int
    classes: tuple[int, ...]
    as_uint8: bool = False

    @property
    def dtype(self) -> np.dtype[np.generic]:
        """Type of the label, little endian."""
        if self.as_uint8:
            return np.dtype("u1")
        return np.dtype("<i4" if self.loss == "ssce" else "<f4")

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the label."""
        return (*self._channels, self.height, self.width)

    @property
    def chunk_shape(self) -> tuple[int, ...]:
        """Shape of an HDF5 chunk: `rows_per_chunk` whole rows of one channel."""
        return (*(1 for _ in self._channels), rows_per_chunk(self.dtype, self.height, self.width), self.width)

    @property
    def largest_chunk_shape(self) -> tuple[int, ...]:
        """Shape of the largest HDF5 chunk: the whole label if it fits into `MAX_CHUNK_BYTES`, or `chunk_shape`."""
        fits = math.prod(self.shape) * self.dtype.itemsize <= MAX_CHUNK_BYTES
        return self.shape if fits else self.chunk_shape

    @property
    def mask_dtype(self) -> np.dtype[np.unsignedinteger]:
        """Type of the mask of all classes: the smallest with a bit for each."""
        return next(np.dtype(f"u{size}") for size in (1, 2, 4, 8) if len(self.classes) <= 8 * size)

    @property
    def numbers(self) -> tuple[bytes, ...]:
        """The possible values of a pixel, from 0, as bytes of the label."""
        count = len(self.classes) + 1 if self.loss == "ssce" else 2
        return tuple(np.array(number, self.dtype).tobytes() for number in range(count))

    @property
    def _channels(self) -> tuple[int, ...]:
        return {"bce": (1,), "multilabel_bce": (self.num_classes,), "ssce": ()}[self.loss]

    def class_mask(self, mask: Mask, class_id: int) -> ClassMask:
        """Converts the mask of one class, of 0 and 1, to its bit in the mask of all classes."""
        index = self.classes.index(class_id)
        return mask if len(self.classes) == 1 else mask.astype(self.mask_dtype) << self.mask_dtype.type(index)

    def overlap(self, mask: ClassMask) -> int:
        """Counts the pixels of several classes; 0 with `bce`, which unites the classes anyway."""
        if len(self.classes) == 1 or self.loss == "bce":
            return 0
        return int(np.count_nonzero(mask & (mask - (mask != 0))))

    @property
    def num_areas(self) -> int:
        """Number of classes that the label distinguishes: with `bce` it is one, which unites them all."""
        return 1 if self.loss == "bce" else len(self.classes)

    @property
    def overlap_rule(self) -> str:
        """What happens to the pixels of several classes."""
        if self.loss == "ssce":
            return "the class that comes later in class_id counts"
        return "each class has its channel" if self.loss == "multilabel_bce" else "the classes are united"

    def label(self, mask: ClassMask) -> Label:
        """Makes the whole label from a mask, [H, W] of `mask_dtype`."""
        channels = [self._channel(mask, channel) for channel in range(*(self._channels or (1,)))]
        return np.stack(channels).astype(self.dtype).reshape(self.shape)

    def chunks(self, mask: ClassMask, *, largest: bool = False) -> Iterator[tuple[tuple[int, ...], NDArray[np.uint8]]]:
        """Makes the label in chunks of indices into `numbers`, so that it is never in memory in its own dtype.

        Args:
            mask: [H, W] of `mask_dtype`.
            largest: whether chunks are of `largest_chunk_shape` instead of `chunk_shape`.

        Yields:
            offset of the chunk in the label, and a uint8 array of its shape, C order, padded with 0 after the last row.
        """
        channels = range(*(self._channels or (1,)))
        if largest and self.largest_chunk_shape != self.chunk_shape:
            yield (0,) * len(self.shape), np.stack([self._channel(mask, channel) for channel in channels])
            return
        rows = self.chunk_shape[-2]
        for channel in channels:
            for top in range(0, self.height, rows):
                part = self._channel(mask[top : top + rows], channel)
                chunk = np.pad(part, ((0, rows - len(part)), (0, 0))) if len(part) < rows else part
                yield (*(channel for _ in self._channels), top, 0), chunk.reshape(self.chunk_shape)

    def _channel(self, mask: ClassMask, channel: int) -> NDArray[np.uint8]:
        """Makes one channel of the label, uint8."""
        if self.loss == "multilabel_bce":
            if channel > len(self.classes):
                return np.zeros(mask.shape, np.uint8)
            return self._of_class(mask, channel).view(np.uint8)
        if len(self.classes) == 1:
            return cast(Mask, mask)
        if self.loss == "bce":
            return np.not_equal(mask, 0).view(np.uint8)
        last = np.zeros(mask.shape, np.uint8)
        for number in range(1, len(self.classes) + 1):
            last[self._of_class(mask, number)] = number
        return last

    def _of_class(self, mask: ClassMask, number: int) -> NDArray[np.bool_]:
        """Returns the pixels of the class with a number; of the background for 0."""
        found: NDArray[np.bool_] = (mask & self.mask_dtype.type(1 << number - 1)) != 0 if number else mask == 0
        return found
