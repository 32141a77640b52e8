"""Normalising and augmenting: what the Model Zoo does, on NumPy arrays."""

from __future__ import annotations

import numpy as np
import pytest

from maskmill.augment import augment, brighten, flip, normalize, rotate

IMAGE = np.array([[[0, 51, 255], [102, 204, 153]]], np.uint8)


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("zero_centered", [[[-1, -0.6, 1], [-0.2, 0.6, 0.2]]]),
        ("zero_one", [[[0, 0.2, 1], [0.4, 0.8, 0.6]]]),
        # Of 0, 1, 5, 2, 4 and 3, in units of 51: mean 2.5, standard deviation of a sample the root of 3.5.
        ("standard_score", (np.array([[[0, 1, 5], [2, 4, 3]]]) - 2.5) / 3.5**0.5),
    ],
)
def test_images_are_normalised(method: str, expected: object) -> None:
    found = normalize(IMAGE, method)
    assert found.dtype == np.float32
    assert np.allclose(found, expected)


def test_without_a_method_an_image_stays_as_it_is() -> None:
    assert normalize(IMAGE, None) is IMAGE


def test_another_method_is_an_error_that_names_the_known_ones() -> None:
    with pytest.raises(ValueError, match="'zero_centred'; it must be one of None, 'zero_centered'"):
        normalize(IMAGE, "zero_centred")


def test_flips_and_turns() -> None:
    assert flip(IMAGE).tolist() == [[[255, 51, 0], [153, 204, 102]]]
    assert rotate(IMAGE, 1).tolist() == [[[255, 153], [51, 204], [0, 102]]]
    assert rotate(IMAGE[0], 2).tolist() == [[153, 204, 102], [255, 51, 0]]
    assert brighten(IMAGE, 0.5)[0, 0].tolist() == [0.5, 51.5, 255.5]


@pytest.mark.parametrize("shape", [(1, 8, 8), (1, 8, 12)])
def test_image_and_label_are_augmented_alike_and_in_all_ways(shape: tuple[int, ...]) -> None:
    image = np.random.default_rng(0).random(shape, np.float32)
    label = image.copy()
    seen = set()
    for seed in range(200):
        found, found_label = augment(image, label, np.random.default_rng(seed))
        assert found.shape == found_label.shape == shape
        difference = np.unique(np.round(found - found_label, 3))
        assert difference.tolist() in ([0.0], [pytest.approx(0.2, abs=1e-3)])
        seen.add((found_label.tobytes(), float(difference[0]) > 0))
    # Flipped or not, brighter or not, and turned: three ways for a square, two that differ for another.
    assert len(seen) == 2 * 2 * (3 if shape[1] == shape[2] else 2)


def test_channels_are_turned_and_normalised_together() -> None:
    image = np.random.default_rng(1).integers(0, 256, (3, 5, 5), np.uint8)
    label = image[:1] // 128
    assert np.allclose(normalize(image, "standard_score").mean(), 0, atol=1e-6)
    proportions = normalize(image, "standard_score") - normalize(image, "standard_score").min()
    assert np.allclose(proportions / proportions.max() * (image.max() - image.min()), image - image.min(), atol=1e-3)
    for seed in range(20):
        turned, turned_label = augment(normalize(image, "zero_one"), label, np.random.default_rng(seed))
        for plane, stored in zip(turned, image, strict=True):
            alone, _ = augment(normalize(stored[np.newaxis], "zero_one"), label, np.random.default_rng(seed))
            assert np.array_equal(plane, alone[0])
        assert turned.shape == (3, 5, 5)
        assert turned_label.shape == (1, 5, 5)
