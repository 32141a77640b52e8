"""Encodes masks as runs: pairs of start and length, with pixels numbered from 1, down each column, then rightwards."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def mask_to_runs(mask: NDArray[np.generic]) -> NDArray[np.int64]:
    """Encodes a mask as sorted runs that do not touch each other.

    Args:
        mask: [height, width]; pixels other than 0 are defects.

    Returns:
        int64 [runs, 2]: start (from 1) and length, in pixels.
    """
    flat = np.zeros(mask.size + 2, np.int8)
    flat[1:-1] = (mask != 0).ravel(order="F")
    edges = np.flatnonzero(np.diff(flat))
    return np.stack([edges[::2] + 1, edges[1::2] - edges[::2]], axis=1)


def format_runs(runs: NDArray[np.int64]) -> str:
    """Writes the text of a mask that is not empty, as the competition does: `start length start length …`."""
    return " ".join(map(str, runs.ravel().tolist()))
