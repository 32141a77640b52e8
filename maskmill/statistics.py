"""Computes the numbers of a split that training needs from exact sums, so that they do not depend on its shards."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Statistics(NamedTuple):
    """Numbers of a split, or of a part of it. Classes have the order of `Dataset.class_names`.

    Attributes:
        mean: of all pixels of the images, 0 to 255.
        std: standard deviation of these pixels.
        pixel_share: share of the pixels that belong to a class, float64 [classes].
        pos_weight: number of pixels outside a class for each pixel of it, float64 [classes]; inf if the class has none.
            This is the argument of that name of `torch.nn.BCEWithLogitsLoss`.
    """

    mean: float
    std: float
    pixel_share: NDArray[np.float64]
    pos_weight: NDArray[np.float64]


def statistics_of(pixels: int, pixel_sums: Sequence[int], areas: Sequence[int]) -> Statistics:
    """Computes statistics.

    Each number is the nearest float64 to the exact one; for `std`, the square root of the nearest to the variance.

    Args:
        pixels: number of pixels of all images; not 0.
        pixel_sums: sum of these pixels, and sum of their squares.
        areas: number of pixels of each class.
    """
    total, squares = pixel_sums
    # Divisions of Python's integers are exact before they are rounded.
    variance = (pixels * squares - total * total) / (pixels * pixels)
    share = np.array([area / pixels for area in areas], np.float64)
    weights = np.array([(pixels - area) / area if area else math.inf for area in areas], np.float64)
    return Statistics(total / pixels, math.sqrt(variance), share, weights)
