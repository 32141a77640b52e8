"""What is measured of an example: exact sums, and a hash that can be computed by hand."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from maskmill.transforms.examples.label import LabelFormat
from maskmill.transforms.examples.measure import count_areas, difference_hash, measure, sum_blocks
from tests.support.builders import grey_pixels

MASK = (grey_pixels(1) % 8).astype(np.uint8)  # bits of three classes
NO_AREAS = np.zeros(1, np.int64)


def hash_of(image: np.ndarray) -> int:
    return measure(image[np.newaxis], NO_AREAS).image_hash


def test_the_hash_of_a_picture_computed_by_hand() -> None:
    # Blocks of 2 x 3 pixels. In the first row they get lighter, in the second darker; in the third only the last is
    # lighter than its neighbour; the others are even.
    blocks = np.full((8, 9), 100)
    blocks[0] = np.arange(0, 90, 10)
    blocks[1] = np.arange(90, 0, -10)
    blocks[2, 8] = 101
    image = np.kron(blocks, np.ones((2, 3))).astype(np.uint8)
    assert hash_of(image) == 0b10000000_00000000_11111111


def test_means_of_blocks_are_compared_to_the_pixel() -> None:
    # 10 columns: eight blocks have one, and the last has two.
    image = np.zeros((8, 10), np.uint8)
    image[:, 7], image[:, 8] = 100, 101
    image[0, 9], image[1, 9], image[2, 9] = 98, 99, 100
    bits = [hash_of(image) >> 8 * row + 7 & 1 for row in range(3)]
    assert bits == [0, 0, 1]  # the means 99.5, 100 and 100.5 against 100


def mean_of_block(image: np.ndarray, row: int, column: int) -> Fraction:
    """The plainest way: from floor(i * size / n) to floor((i + 1) * size / n), and at least one pixel."""
    height, width = image.shape
    top, left = row * height // 8, column * width // 9
    bottom, right = max((row + 1) * height // 8, top + 1), max((column + 1) * width // 9, left + 1)
    pixels = image[top:bottom, left:right].ravel().tolist()
    return Fraction(sum(pixels), len(pixels))


@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.integers(1, 40), st.integers(1, 256))
@example(0, 1, 1, 256)
@example(0, 7, 30, 256)
@example(0, 30, 8, 256)
@example(0, 8, 9, 2)
def test_measures_are_those_of_a_loop(seed: int, height: int, width: int, greys: int) -> None:
    image = np.random.default_rng(seed).integers(0, greys, (height, width), np.uint8)
    found = measure(image[np.newaxis], NO_AREAS)
    pixels = image.ravel().tolist()
    assert found.pixel_sums == (sum(pixels), sum(pixel**2 for pixel in pixels))
    bits = [
        mean_of_block(image, row, column) < mean_of_block(image, row, column + 1)
        for row in range(8)
        for column in range(8)
    ]
    assert found.image_hash == sum(bit << index for index, bit in enumerate(bits))


def test_the_largest_sums_are_exact() -> None:
    image = np.full((2100, 4200), 255, np.uint8)
    assert measure(image[np.newaxis], NO_AREAS).pixel_sums == (image.size * 255, image.size * 255**2)
    assert sum_blocks(image).blocks.sum() == image.size * 255


def test_channels_have_sums_of_their_own_and_one_hash_of_their_mean() -> None:
    image = np.stack([grey_pixels(seed, 40, 50) for seed in range(3)])
    found = measure(image, NO_AREAS)
    sums = [measure(plane[np.newaxis], NO_AREAS).pixel_sums for plane in image]
    assert found.pixel_sums == (*sums[0], *sums[1], *sums[2])
    together = sum(sum_blocks(plane).blocks for plane in image)
    assert found.image_hash == difference_hash(together, 40, 50)
    assert found.image_hash not in {hash_of(plane) for plane in image}


def test_a_grey_image_has_the_same_hash_with_any_number_of_channels() -> None:
    image = grey_pixels(1, 40, 50)
    assert measure(np.stack([image] * 3), NO_AREAS).image_hash == hash_of(image)


def test_a_hash_fits_into_64_bits_and_survives_small_changes() -> None:
    rising = np.arange(9 * 8, dtype=np.uint8).reshape(8, 9)
    assert hash_of(rising) == 2**64 - 1
    image = grey_pixels(3, 64, 72)
    lighter = np.clip(image.astype(int) + 1, 0, 255).astype(np.uint8)
    assert (hash_of(image) ^ hash_of(lighter)).bit_count() <= 2
    assert (hash_of(image) ^ hash_of(grey_pixels(4, 64, 72))).bit_count() > 10


@pytest.mark.parametrize("as_uint8", [False, True])
@pytest.mark.parametrize(
    ("loss", "channels", "expected"),
    [
        ("bce", 2, [np.count_nonzero(MASK)]),
        ("multilabel_bce", 5, [np.count_nonzero(MASK & bit) for bit in (1, 2, 4)]),
        ("ssce", 4, [np.count_nonzero(MASK == 1), np.isin(MASK, [2, 3]).sum(), np.count_nonzero(MASK >= 4)]),
    ],
)
def test_areas_are_counted_in_labels_of_every_loss(
    loss: str, channels: int, expected: list[int], as_uint8: bool
) -> None:
    form = LabelFormat(loss, channels, *MASK.shape, (5, 6, 7), as_uint8)
    assert form.num_areas == len(expected)
    label = form.label(MASK)
    assert count_areas(label, form).tolist() == expected
    # Channel by channel, some rows at a time.
    parts = [(None, label)] if loss == "ssce" else list(enumerate(label))
    found = sum(
        count_areas(rows if channel is None else rows[np.newaxis], form, channel or 0)
        for channel, plane in parts
        for rows in (plane[:7], plane[7:])
    )
    assert np.array_equal(found, expected)
