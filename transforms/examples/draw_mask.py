"""Draws the runs of a mask at the size of its example."""

from __future__ import annotations

import functools
from typing import cast

import numpy as np
from numpy.typing import NDArray

from maskmill.transforms.examples.resize import nearest_index, resize_mask
from maskmill.transforms.examples.rle import Mask, Runs, check_bounds, runs_to_mask
from maskmill.transforms.kernel import KERNEL
from maskmill.views import Box


def draw_mask(
    runs: Runs,
    stored_size: tuple[int, int],
    resized: tuple[int, int],
    *,
    by_rows: bool = False,
    shown: Box | None = None,
) -> Mask:
    """Draws runs, which may overlap and be in any order, and resizes the mask to the nearest neighbour.

    The compiled kernel draws at once the pixels that are left, and no whole mask.

    Args:
        runs: int64 [runs, 2]: start (from 1) and length, in pixels of the image.
        stored_size: (height, width) of the image, in pixels.
        resized: (height, width) of the result, in pixels.
        by_rows: whether pixels are numbered along the rows, then downwards, instead of down the columns.
        shown: the box of the image that becomes the result; None is the whole image.

    Returns:
        uint8 array of the size `resized`, C order, of 0 and 1.

    Raises:
        DataError: a run ends past the image's last pixel.
    """
    shown = shown or Box(0, 0, *stored_size)
    if KERNEL is None:
        return cast(Mask, resize_mask(shown.cut(runs_to_mask(runs, *stored_size, by_rows=by_rows)), *resized))
    check_bounds(runs, *stored_size)
    if (runs[1:, 0] < runs[:-1, 0]).any():
        runs = runs[np.argsort(runs[:, 0], kind="stable")]
    plane = np.empty(resized, np.uint8)
    rows = _first_shown(stored_size[0], shown.top, shown.height, resized[0])
    columns = _first_shown(stored_size[1], shown.left, shown.width, resized[1])
    draw = KERNEL.draw_along if by_rows else KERNEL.draw_down
    draw(plane, runs, rows, columns)
    return plane


@functools.lru_cache(maxsize=64)
def _first_shown(size_in: int, start: int, length: int, size_out: int) -> NDArray[np.int32]:
    """Returns for each line of an image, and its end, the first line of the result that shows it or a later one.

    Args:
        size_in: lines of the image.
        start: the first line that is shown.
        length: number of lines that are shown.
        size_out: lines of the result.
    """
    return np.searchsorted(start + nearest_index(length, size_out), np.arange(size_in + 1)).astype(np.int32)
