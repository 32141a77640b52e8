"""Converts run-length encoded masks: runs to a mask, and back.

Runs are pairs of start and length; pixels are numbered from 1, down each column, then from left to right, as in the
competition (Kaggle, Severstal: Steel Defect Detection, "Evaluation"). `mask_text` reads them from a text.
"""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskmill.transforms.limits import MAX_ELEMENT_BYTES
from maskmill.transforms.rejected import Code, DataError

Runs = NDArray[np.int64]
Mask = NDArray[np.uint8]
# The masks of several classes in one array, a bit for each class; see `label.LabelFormat`.
ClassMask = NDArray[np.unsignedinteger[Any]]


def pack_runs(runs: Runs) -> bytes:
    """Packs runs for a shuffle: differences between neighbours, deflated; about 2 bytes a run instead of 16.

    Raises:
        DataError: the packed runs are larger than `MAX_ELEMENT_BYTES`.
    """
    differences = runs.astype("<i4")
    np.subtract(runs[1:], runs[:-1], out=differences[1:], casting="same_kind")
    packed = zlib.compress(differences.tobytes(), 1)
    if len(packed) > MAX_ELEMENT_BYTES:
        raise DataError(
            Code.RLE_TOO_LONG,
            f"the mask has {len(runs)} runs, which are {len(packed)} bytes when packed; the limit is "
            f"{MAX_ELEMENT_BYTES}; merge runs that touch or overlap",
        )
    return packed


# The packed runs of an empty mask.
EMPTY_RUNS = pack_runs(np.empty((0, 2), np.int64))


def unpack_runs(packed: bytes) -> Runs:
    """Inverts `pack_runs`: int64 [runs, 2]."""
    differences = np.frombuffer(zlib.decompress(packed), "<i4").reshape(-1, 2)
    return np.cumsum(differences, axis=0, dtype=np.int64)


def runs_to_mask(runs: Runs, height: int, width: int, *, by_rows: bool = False) -> Mask:
    """Draws runs as a mask; runs may overlap and be in any order.

    Args:
        runs: [runs, 2]: start (from 1) and length, in pixels.
        height: of the image, in pixels.
        width: of the image, in pixels.
        by_rows: whether pixels are numbered along the rows, then downwards, instead of down the columns.

    Returns:
        uint8 [height, width] of 0 and 1; unless `by_rows`, a view of an array in column order.

    Raises:
        DataError: a run ends past the image's last pixel.
    """
    check_bounds(runs, height, width)
    edges = np.concatenate(([0], covered_intervals(runs).ravel(), [height * width]))
    numbers = np.zeros(len(edges) - 1, np.uint8)
    numbers[1::2] = 1
    pixels = np.repeat(numbers, np.diff(edges))
    return pixels.reshape(height, width) if by_rows else pixels.reshape(width, height).T


def are_inside(runs: Runs, height: int, width: int) -> bool:
    """Returns whether all runs end at or before the last of height * width pixels."""
    return bool((runs.sum(axis=1) - 1 <= height * width).all())


def check_bounds(runs: Runs, height: int, width: int) -> None:
    """Raises DataError when a run ends past the last of height * width pixels."""
    ends = runs.sum(axis=1) - 1
    past = np.flatnonzero(ends > height * width)
    if past.size:
        raise DataError(
            Code.RLE_OUT_OF_BOUNDS,
            f"run {past[0] + 1} ends at pixel {ends[past[0]]}, past the image's {height * width} "
            f"({height} x {width}); correct the run, or use the image that it was made for",
        )


def covered_intervals(runs: Runs) -> NDArray[np.int64]:
    """Sorts runs and removes overlaps: int64 [runs, 2] of first pixel, from 0, and end."""
    runs = runs[np.argsort(runs[:, 0], kind="stable")]
    starts = runs[:, 0] - 1
    ends = np.maximum.accumulate(starts + runs[:, 1])
    # Pixels of an earlier run are left to it, so that the image bounds the work, not the text.
    starts[1:] = np.maximum(starts[1:], ends[:-1])
    return np.stack([starts, ends], axis=1)


def have_overlaps(runs: Runs) -> bool:
    """Returns whether any two runs share a pixel."""
    if not np.count_nonzero(runs[1:, 0] < runs[:-1, 0] + runs[:-1, 1]):
        return False  # as most masks, which are in order
    return int(runs[:, 1].sum()) > int(np.diff(covered_intervals(runs)).sum())
