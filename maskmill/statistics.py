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
        mean: of all pixels of the images, 0 to 255; of RGB images by channel, float64 [3].
        std: standard deviation of these pixels, likewise.
        pixel_share: share of the pixels that belong to a class, float64 [classes].
        pos_weight: number of pixels outside a class for each pixel of it, float64 [classes]; inf if the class has none.
            This is the argument of that name of `torch.nn.BCEWithLogitsLoss`.
    """

    mean: float | NDArray[np.float64]
    std: float | NDArray[np.float64]
    pixel_share: NDArray[np.float64]
    pos_weight: NDArray[np.float64]


def statistics_of(pixels: int, pixel_sums: Sequence[int], areas: Sequence[int]) -> Statistics:
    """Computes statistics.

    Each number is the nearest float64 to the exact one; for `std`, the square root of the nearest to the variance.

    Args:
        pixels: number of pixels of all images; not 0.
        pixel_sums: for each channel, sum of these pixels, and sum of their squares; one after the other.
        areas: number of pixels of each class.
    """
    # Divisions of Python's integers are exact before they are rounded.
    channels = list(zip(pixel_sums[::2], pixel_sums[1::2], strict=True))
    means = [total / pixels for total, _ in channels]
    stds = [math.sqrt((pixels * squares - total * total) / (pixels * pixels)) for total, squares in channels]
    share = np.array([area / pixels for area in areas], np.float64)
    weights = np.array([(pixels - area) / area if area else math.inf for area in areas], np.float64)
    if len(channels) == 1:
        return Statistics(means[0], stds[0], share, weights)
    return Statistics(np.array(means), np.array(stds), share, weights)
