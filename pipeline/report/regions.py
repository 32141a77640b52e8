"""Counts the runs and the connected regions of a mask."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Counted(NamedTuple):
    """What a mask consists of.

    Attributes:
        runs: number of runs, counted down its columns, one after the other, as in a CSV.
        regions: number of connected regions; pixels are connected if they share a side or a corner.
    """

    runs: int
    regions: int


def count_runs_and_regions(mask: NDArray[np.bool_]) -> Counted:
    """Counts the runs and regions of a mask.

    Each column is divided into runs; runs of neighbouring columns that touch are joined (union-find over runs: He et
    al., "A Run-Based Two-Scan Labeling Algorithm", IEEE Trans. Image Process. 17, 2008).

    Args:
        mask: bool [H, W].
    """
    height, width = mask.shape
    # An empty cell before each column, and one after the last, keep apart what does not touch.
    padded = np.zeros(width * (height + 1) + 1, np.bool_)
    padded[:-1].reshape(width, height + 1)[:, 1:] = mask.T
    changes = np.flatnonzero(padded[1:] != padded[:-1])
    # In one long column: a run is [start, end); that of the next column beside it begins `height + 1` later.
    starts, ends = changes[::2], changes[1::2]
    if not len(starts):
        return Counted(0, 0)
    joined_in_csv = np.count_nonzero((starts[1:] - ends[:-1] == 1) & (starts[1:] % (height + 1) == 0))
    return Counted(len(starts) - int(joined_in_csv), _count_joined(len(starts), *_touching(starts, ends, height + 1)))


def _touching(
    starts: NDArray[np.int64], ends: NDArray[np.int64], step: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Finds the pairs of runs that touch: of each run, those of the next column from one above to one below it."""
    columns = starts // step
    top = np.maximum(starts + step, (columns + 1) * step)
    # A run of the column after the next begins beyond the empty cell.
    bottom = np.minimum(ends + step, (columns + 2) * step - 1)
    first = np.searchsorted(ends, top, "left")
    last = np.searchsorted(starts, bottom, "right")
    numbers = np.maximum(last - first, 0)
    own = np.repeat(np.arange(len(starts)), numbers)
    within = np.arange(len(own)) - np.repeat(np.cumsum(numbers) - numbers, numbers)
    return own, first[own] + within


def _count_joined(things: int, left: NDArray[np.int64], right: NDArray[np.int64]) -> int:
    """Counts the groups of things that pairs join."""
    parents = list(range(things))
    groups = things
    for one, other in zip(left.tolist(), right.tolist(), strict=True):
        while parents[one] != one:
            parents[one] = one = parents[parents[one]]
        while parents[other] != other:
            parents[other] = other = parents[parents[other]]
        if one != other:
            parents[other] = one
            groups -= 1
    return groups
