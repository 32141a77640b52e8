"""Images that look the same, and those that only have the same dark part."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from maskmill.pipeline.report.image_details import details_of, look_the_same
from tests.support.builders import image_bytes

SHAPE = (128, 200)


def surface(seed: int, shape: tuple[int, int] = SHAPE) -> np.ndarray:
    """A surface in light that fades, with details at random, and a black part at its left."""
    random = np.random.default_rng(seed)
    details = np.asarray(Image.fromarray(random.random((64, 64), np.float32)).resize(shape[::-1]))
    pixels = 60 + 60 * np.linspace(0, 1, shape[1]) + 40 * details
    pixels[:, : shape[1] // 2] = 0
    return pixels.astype(np.uint8)


def encoded_anew(pixels: np.ndarray, quality: int) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(image_bytes(pixels, mode="L", quality=quality))))


def same(one: np.ndarray, other: np.ndarray) -> bool:
    return bool(look_the_same(details_of(one[np.newaxis])[np.newaxis], details_of(other[np.newaxis])[np.newaxis])[0])


@pytest.mark.parametrize("shape", [SHAPE, (256, 1600), (64, 128)])
def test_an_image_looks_as_its_copy_that_was_encoded_anew_or_made_brighter(shape: tuple[int, int]) -> None:
    pixels = surface(1, shape)
    assert same(pixels, pixels)
    assert same(pixels, encoded_anew(pixels, 50))
    assert same(pixels, (pixels * 0.8 + 20).astype(np.uint8))


def test_other_surfaces_look_different_though_the_same_part_is_black() -> None:
    assert not any(same(surface(0), surface(seed)) for seed in range(1, 20))


def test_images_without_details_are_not_said_to_look_the_same() -> None:
    black = np.zeros(SHAPE, np.uint8)
    assert not same(black, black)
    assert not same(black, surface(0))


def test_images_of_a_few_pixels_are_compared_too() -> None:
    random = np.random.default_rng(0)
    one, other = random.integers(0, 256, (2, 5, 7), np.uint8)
    assert same(one, one)
    assert not same(one, other)
