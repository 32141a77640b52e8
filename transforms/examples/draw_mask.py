"""Draws the runs of a mask at the size of its example."""

from __future__ import annotations

import functools
from typing import cast

import numpy as np
from numpy.typing import NDArray

from maskmill.transforms.examples.resize import nearest_index, resize_mask
from maskmill.transforms.examples.rle import Mask, Runs, check_bounds, runs_to_mask
from maskmill.transforms.kernel import KERNEL


def draw_mask(runs: Runs, stored_size: tuple[int, int], resized: tuple[int, int], *, by_rows: bool = False) -> Mask:
    """Draws runs, which may overlap and be in any order, and resizes the mask to the nearest neighbour.

    The compiled kernel draws at once the pixels that are left, and no whole mask.

    Args:
        runs: int64 [runs, 2]: start (from 1) and length, in pixels of the image.
        stored_size: (height, width) of the image, in pixels.
        resized: (height, width) of the result, in pixels.
        by_rows: whether pixels are numbered along the rows, then downwards, instead of down the columns.

    Returns:
        uint8 array of the size `resized`, C order, of 0 and 1.

    Raises:
        DataError: a run ends past the image's last pixel.
    """
    if KERNEL is None:
        return cast(Mask, resize_mask(runs_to_mask(runs, *stored_size, by_rows=by_rows), *resized))
    check_bounds(runs, *stored_size)
    if (runs[1:, 0] < runs[:-1, 0]).any():
        runs = runs[np.argsort(runs[:, 0], kind="stable")]
    plane = np.empty(resized, np.uint8)
    rows, columns = map(_first_shown, stored_size, resized)
    draw = KERNEL.draw_along if by_rows else KERNEL.draw_down
    draw(plane, runs, rows, columns)
    return plane


@functools.lru_cache(maxsize=64)
def _first_shown(size_in: int, size_out: int) -> NDArray[np.int32]:
    """Returns for each line of an image, and its end, the first line of the result that shows it or a later one."""
    return np.searchsorted(nearest_index(size_in, size_out), np.arange(size_in + 1)).astype(np.int32)
