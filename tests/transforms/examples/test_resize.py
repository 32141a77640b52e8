"""Images and masks are resized and tiled as by the original."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image

from maskmill.transforms.examples.resize import (
    _bands,
    bicubic_weights,
    nearest_index,
    resize_bicubic,
    resize_mask,
    tile,
)
from tests.support.builders import grey_pixels

sizes = st.integers(1, 60)


@given(sizes, sizes, sizes, sizes, st.integers(0, 255))
def test_an_even_grey_stays_that_grey(height: int, width: int, to_height: int, to_width: int, grey: int) -> None:
    resized = resize_bicubic(np.full((height, width), grey, np.uint8), to_height, to_width)
    assert resized.shape == (to_height, to_width)
    assert (resized == grey).all()


def test_the_same_size_is_the_same_image() -> None:
    pixels = grey_pixels(1)
    assert resize_bicubic(pixels, *pixels.shape) is pixels


@pytest.mark.parametrize("size", [(256, 256), (128, 800), (64, 100), (224, 224), (300, 1700)])
def test_resize_is_pillows_bicubic_but_for_one_grey_level_in_few_pixels(size: tuple[int, int]) -> None:
    pixels = grey_pixels(2, 256, 1600)
    grey = Image.fromarray(pixels.astype(np.float32)).resize(size[::-1], Image.Resampling.BICUBIC)
    difference = np.abs(resize_bicubic(pixels, *size).astype(int) - np.rint(grey).clip(0, 255).astype(int))
    assert difference.max() <= 1
    assert np.count_nonzero(difference) <= difference.size / 500


def test_products_are_exact_so_that_the_result_does_not_depend_on_the_order_of_summation() -> None:
    pixels = grey_pixels(3, 40, 90)
    resized = resize_bicubic(pixels, 40, 33)
    for column in (0, 16, 32):
        first, weights = bicubic_weights(90, 33, column)
        rounded = [Fraction(round(Fraction(weight) * 2**28), 2**28) for weight in weights.tolist()]
        values = [sum(w * int(p) for w, p in zip(rounded, row[first:], strict=False)) for row in pixels]
        assert resized[:, column].tolist() == [min(max(round(value), 0), 255) for value in values]


@given(st.integers(1, 2000), st.integers(1, 700))
def test_weights_are_fixed_point_numbers_small_enough_for_exact_sums(size_in: int, size_out: int) -> None:
    for band in _bands(size_in, size_out):
        assert (band.weights * 2**28 % 1 == 0).all()
        assert np.abs(band.weights).sum(axis=0).max() * 255 < 2**9


@given(st.integers(1, 400), st.integers(1, 400))
def test_weights_of_a_pixel_sum_to_one_inside_the_image(size_in: int, size_out: int) -> None:
    for index in {0, size_out // 2, size_out - 1}:
        first, weights = bicubic_weights(size_in, size_out, index)
        assert first >= 0
        assert first + len(weights) <= size_in
        assert weights.sum() == pytest.approx(1, abs=1e-5)


@given(st.integers(1, 3400), st.integers(1, 3400))
def test_nearest_index_follows_the_float32_rule(size_in: int, size_out: int) -> None:
    scale = np.float32(size_in) / np.float32(size_out)
    expected = [min(int(np.floor(np.float32(i) * scale)), size_in - 1) for i in range(size_out)]
    assert nearest_index(size_in, size_out).tolist() == expected


def test_nearest_index_is_not_the_integer_rule() -> None:
    differs = [n for n in range(1, 3400) if nearest_index(n, 256).tolist() != [i * n // 256 for i in range(256)]]
    assert not differs
    differs = [n for n in range(1, 3400) if nearest_index(256, n).tolist() != [i * 256 // n for i in range(n)]]
    assert differs


@given(sizes, sizes, sizes, sizes)
def test_tile_repeats_from_the_upper_left(height: int, width: int, to_height: int, to_width: int) -> None:
    pixels = grey_pixels(4, height, width)
    tiled = tile(pixels, to_height, to_width)
    assert tiled.shape == (to_height, to_width)
    for y, x in [(0, 0), (to_height - 1, to_width - 1), (to_height // 2, to_width // 3)]:
        assert tiled[y, x] == pixels[y % height, x % width]


@given(sizes, sizes, sizes, sizes, sizes, sizes)
@example(70, 150, 70, 150, 70, 150)  # transposed in several parts
def test_mask_is_resized_by_nearest_neighbour_then_tiled(
    height: int, width: int, to_height: int, to_width: int, tiled_height: int, tiled_width: int
) -> None:
    mask = grey_pixels(5, height, width) % 2
    resized = mask[nearest_index(height, to_height)][:, nearest_index(width, to_width)]
    expected = tile(resized, tiled_height, tiled_width)
    assert np.array_equal(tile(resize_mask(mask, to_height, to_width), tiled_height, tiled_width), expected)
