"""Statistics are exact until the last step."""

from __future__ import annotations

import math

import numpy as np

from maskmill.statistics import statistics_of


def test_numbers_computed_by_hand() -> None:
    # The pixels 10, 20, 20, 50.
    found = statistics_of(4, (100, 3400), [1, 0, 4])
    assert (found.mean, found.std) == (25.0, 15.0)
    assert found.pixel_share.tolist() == [0.25, 0.0, 1.0]
    assert found.pos_weight.tolist() == [3.0, math.inf, 0.0]


def test_each_channel_has_its_mean_and_its_deviation() -> None:
    # Red as above; green is 7 in all four; blue is 1, 1, 3, 3.
    found = statistics_of(4, (100, 3400, 28, 196, 8, 20), [1])
    assert isinstance(found.mean, np.ndarray)
    assert isinstance(found.std, np.ndarray)
    assert found.mean.tolist() == [25.0, 7.0, 2.0]
    assert found.std.tolist() == [15.0, 0.0, 1.0]
    assert found.pixel_share.tolist() == [0.25]


def test_sums_that_no_float_holds_are_exact() -> None:
    # A pixel of 10^17 is 1, the others are 0: in floating point, the variance would be that of none.
    pixels = 10**17 + 1
    found = statistics_of(pixels, (pixels - 1, pixels - 1), [pixels - 1])
    assert found.mean == 1.0
    assert found.std == math.sqrt(10**17 / pixels**2) > 0
    assert found.pos_weight.tolist() == [1e-17]


def test_images_of_one_grey_have_no_deviation() -> None:
    assert statistics_of(3, (3 * 77, 3 * 77**2), []).std == 0.0
