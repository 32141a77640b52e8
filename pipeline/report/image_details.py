"""Compares images by their details, whatever their brightness.

A difference hash tells little about an image of which the half is black: so many have the same one. So an image is
averaged to 32 x 64 cells, each is compared with its right neighbour, and these differences are correlated in blocks of
8 x 8: slow changes of the light, and the edge of a black part, are alike in many images, small details are not.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_CELLS = (32, 64)
_BLOCK = 8
# Standard deviation of the differences in a block, in grey levels, below which it shows nothing.
_FLAT_BLOCK = 0.5
# Correlation (Pearson) from which two blocks show the same. In the sample dataset, the median of a pair's blocks is at
# most 0.2 for different images, and at least 0.9 for an image and its copy in a JPEG of quality 50.
_SAME = 0.5


def details_of(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Returns the differences of neighbouring cells, each block with a mean of 0 and a length of 1, or 0 if it is flat.

    Args:
        image: uint8 [channels, H, W]; the mean of its channels is compared.

    Returns:
        float32 [32, 64]: blocks, and the differences in each.
    """
    cells = _average(_average(image.mean(axis=0, dtype=np.float32), 0), 1)
    differences = np.diff(cells, axis=1, append=cells[:, -1:])
    parted = differences.reshape(_CELLS[0] // _BLOCK, _BLOCK, _CELLS[1] // _BLOCK, _BLOCK).swapaxes(1, 2)
    blocks = parted.reshape(-1, _BLOCK * _BLOCK)
    blocks = blocks - blocks.mean(axis=1, keepdims=True)
    lengths = np.linalg.norm(blocks, axis=1, keepdims=True)
    shows = lengths >= _FLAT_BLOCK * _BLOCK
    details: NDArray[np.float32] = np.divide(blocks, lengths, out=np.zeros_like(blocks), where=shows)
    return details


def _average(image: NDArray[np.float32], axis: int) -> NDArray[np.float32]:
    """Averages along an axis into `_CELLS`; of an image with fewer pixels, neighbouring cells have the same one."""
    size, cells = image.shape[axis], _CELLS[axis]
    starts = np.arange(cells) * size // cells
    numbers = np.maximum(np.diff(starts, append=size), 1).astype(np.float32)
    sums = np.add.reduceat(image, starts, axis=axis)
    averages: NDArray[np.float32] = sums / (numbers[:, np.newaxis] if axis == 0 else numbers)
    return averages


def look_the_same(details: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Returns which pairs of images show the same in at least half of the blocks that show anything in either.

    Args:
        details: float32 [pairs, blocks, cells], of the first image of each pair.
        others: the same, of the second.
    """
    correlations = np.einsum("pbc,pbc->pb", details, others)
    shows = np.any(details, axis=2) | np.any(others, axis=2)
    same: NDArray[np.bool_] = (2 * np.sum(correlations >= _SAME, axis=1) >= shows.sum(axis=1)) & shows.any(axis=1)
    return same
