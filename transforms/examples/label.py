"""Masks of classes to label, by loss: the arrays that the original's training reads, or the same in a smaller type."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from maskmill.transforms.examples.rle import ClassMask, Mask

MAX_CHUNK_BYTES = 4 * 2**20
# As many bits as the largest integer has.
MAX_CLASSES = 64

Label = NDArray[np.float32] | NDArray[np.int32] | NDArray[np.uint8]


class LabelFormat(NamedTuple):
    """What the label of an example looks like, and the mask that it is made of.

    | loss           | dtype   | shape             | values                                                       |
    |----------------|---------|-------------------|--------------------------------------------------------------|
    | bce            | float32 | [1, H, W]         | 1 where any of the classes is                                |
    | multilabel_bce | float32 | [num_classes,H,W] | channel i is 1 where the i-th class is, 0 where none is      |
    | ssce           | int32   | [H, W]            | i where the i-th class is, the last of several; 0 background |

    The classes' masks are one array, whose bit i - 1 is 1 where the i-th class is; with one class it is 0 and 1.

    Attributes:
        loss: one of `LOSSES`.
        num_classes: channels of the label of `multilabel_bce`.
        height: H, in pixels.
        width: W, in pixels.
        classes: numbers of the classes, in the order in which labels count them, from 1.
        as_uint8: whether the dtype is uint8 in place of those.
    """

    loss: str
    num_classes: int
    height: int
    width: int
    classes: tuple[int, ...]
    as_uint8: bool = False

    @property
    def dtype(self) -> np.dtype[np.generic]:
        """Little endian, the original's type unless another was asked for."""
        if self.as_uint8:
            return np.dtype("u1")
        return np.dtype("<i4" if self.loss == "ssce" else "<f4")

    @property
    def shape(self) -> tuple[int, ...]:
        """The label's shape."""
        return (*self._channels, self.height, self.width)

    @property
    def chunk_shape(self) -> tuple[int, ...]:
        """Shape of an HDF5 chunk: whole rows of one channel, at most `MAX_CHUNK_BYTES` where a row is not more."""
        rows = max(1, min(self.height, MAX_CHUNK_BYTES // (self.dtype.itemsize * self.width)))
        return (*(1 for _ in self._channels), rows, self.width)

    @property
    def mask_dtype(self) -> np.dtype[np.unsignedinteger]:
        """Of the mask of all classes: the smallest that has a bit for each."""
        return next(np.dtype(f"u{size}") for size in (1, 2, 4, 8) if len(self.classes) <= 8 * size)

    @property
    def numbers(self) -> tuple[bytes, ...]:
        """The numbers of a label, from 0, as they stand in it, in bytes."""
        count = len(self.classes) + 1 if self.loss == "ssce" else 2
        return tuple(np.array(number, self.dtype).tobytes() for number in range(count))

    @property
    def _channels(self) -> tuple[int, ...]:
        return {"bce": (1,), "multilabel_bce": (self.num_classes,), "ssce": ()}[self.loss]

    def class_mask(self, mask: Mask, class_id: int) -> ClassMask:
        """The part of a class in the mask of all, of its own mask of 0 and 1."""
        index = self.classes.index(class_id)
        return mask if len(self.classes) == 1 else mask.astype(self.mask_dtype) << self.mask_dtype.type(index)

    def overlap(self, mask: ClassMask) -> int:
        """Number of pixels that are of several classes; where classes are united anyway, they do not count."""
        if len(self.classes) == 1 or self.loss == "bce":
            return 0
        return int(np.count_nonzero(mask & (mask - (mask != 0))))

    @property
    def overlap_rule(self) -> str:
        """What becomes of the pixels that are of several classes."""
        if self.loss == "ssce":
            return "the class that comes later in class_id counts"
        return "each class has its channel" if self.loss == "multilabel_bce" else "the classes are united"

    def label(self, mask: ClassMask) -> Label:
        """The whole label of a mask, [H, W] of `mask_dtype`."""
        channels = [self._channel(mask, channel) for channel in range(*(self._channels or (1,)))]
        return np.stack(channels).astype(self.dtype).reshape(self.shape)

    def chunks(self, mask: ClassMask) -> Iterator[tuple[tuple[int, ...], NDArray[np.uint8]]]:
        """The label in chunks, of each item which of `numbers` it is, so that no label is in memory in its own dtype.

        Args:
            mask: [H, W] of `mask_dtype`.

        Yields:
            offset of the chunk in the label, and a uint8 array of `chunk_shape`, C order, filled up with 0 past the
            last row.
        """
        rows = self.chunk_shape[-2]
        for channel in range(*(self._channels or (1,))):
            for top in range(0, self.height, rows):
                part = self._channel(mask[top : top + rows], channel)
                chunk = np.pad(part, ((0, rows - len(part)), (0, 0))) if len(part) < rows else part
                yield (*(channel for _ in self._channels), top, 0), chunk.reshape(self.chunk_shape)

    def _channel(self, mask: ClassMask, channel: int) -> NDArray[np.uint8]:
        """One channel of the label, uint8."""
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
        """Where a class is, from 1; 0 is the background."""
        found: NDArray[np.bool_] = (mask & self.mask_dtype.type(1 << number - 1)) != 0 if number else mask == 0
        return found
