"""Mask to label, by loss: the arrays that the original's training reads, or the same in a smaller type."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

MAX_CHUNK_BYTES = 4 * 2**20
LOSSES = ("bce", "multilabel_bce", "ssce")

Label = NDArray[np.float32] | NDArray[np.int32] | NDArray[np.uint8]


class LabelFormat(NamedTuple):
    """What the label of an example looks like.

    | loss           | dtype   | shape             | values                                                  |
    |----------------|---------|-------------------|---------------------------------------------------------|
    | bce            | float32 | [1, H, W]         | 1 where the defect is                                   |
    | multilabel_bce | float32 | [num_classes,H,W] | one-hot of the mask: channel 0 background, 1 the defect |
    | ssce           | int32   | [H, W]            | class index: 1 where the defect is                      |

    Attributes:
        loss: one of `LOSSES`.
        num_classes: channels of the label of `multilabel_bce`.
        height: H, in pixels.
        width: W, in pixels.
        as_uint8: whether the dtype is uint8 in place of those.
    """

    loss: str
    num_classes: int
    height: int
    width: int
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
    def _channels(self) -> tuple[int, ...]:
        return {"bce": (1,), "multilabel_bce": (self.num_classes,), "ssce": ()}[self.loss]

    def label(self, mask: NDArray[np.uint8]) -> Label:
        """The whole label of a mask, uint8 [H, W] of 0 and 1."""
        channels = [self._channel(mask, channel) for channel in range(*(self._channels or (1,)))]
        return np.stack(channels).astype(self.dtype).reshape(self.shape)

    @property
    def numbers(self) -> tuple[bytes, ...]:
        """0 and 1 as they stand in a label, in bytes."""
        return tuple(np.array(number, self.dtype).tobytes() for number in (0, 1))

    def chunks(self, mask: NDArray[np.uint8]) -> Iterator[tuple[tuple[int, ...], NDArray[np.uint8]]]:
        """The label in chunks, of each item which of `numbers` it is, so that no label is in memory in its own dtype.

        Args:
            mask: uint8 array [H, W] of 0 and 1.

        Yields:
            offset of the chunk in the label, and a uint8 array of `chunk_shape`, C order, filled up with 0 past the
            last row.
        """
        rows = self.chunk_shape[-2]
        for channel in range(*(self._channels or (1,))):
            for top in range(0, self.height, rows):
                part = self._channel(mask[top : top + rows], channel).view(np.uint8)
                chunk = np.pad(part, ((0, rows - len(part)), (0, 0))) if len(part) < rows else part
                yield (*(channel for _ in self._channels), top, 0), chunk.reshape(self.chunk_shape)

    def _channel(self, mask: NDArray[np.uint8], channel: int) -> NDArray[np.generic]:
        return mask == channel if self.loss == "multilabel_bce" else mask
