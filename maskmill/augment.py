"""Normalises and augments NumPy arrays as the data processors of the Model Zoo do.

Source of the rules: `Hdf5DataProcessor` and `preprocessing_utils` of the Model Zoo's UNet, release 2.0.3.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

METHODS = (None, "zero_centered", "zero_one", "standard_score")
BRIGHTNESS = 0.2


def normalize(image: NDArray[Any], method: str | None) -> NDArray[Any]:
    """Normalises an image.

    Args:
        image: uint8, of any shape.
        method: `zero_centered` maps to -1 … 1, `zero_one` to 0 … 1, `standard_score` to mean 0 and standard deviation
            1, of all channels together; None changes nothing.

    Returns:
        float32; the image itself if the method is None.

    Raises:
        ValueError: there is no such method.
    """
    if method is None:
        return image
    pixels = image.astype(np.float32)
    if method == "zero_centered":
        return pixels / np.float32(127.5) - np.float32(1)
    if method == "zero_one":
        return pixels / np.float32(255)
    if method == "standard_score":
        # As in torch: the standard deviation of a sample.
        score: NDArray[np.float32] = (pixels - pixels.mean()) / pixels.std(ddof=1)
        return score
    raise ValueError(f"normalize_data_method is {method!r}; it must be one of {', '.join(map(repr, METHODS))}")


def flip(array: NDArray[Any]) -> NDArray[Any]:
    """Flips an array [..., H, W] left to right."""
    return array[..., ::-1]


def rotate(array: NDArray[Any], turns: int) -> NDArray[Any]:
    """Rotates an array [..., H, W] counter-clockwise by `turns` times 90 degrees."""
    return np.rot90(array, turns, axes=(-2, -1))


def brighten(image: NDArray[Any], delta: float) -> NDArray[Any]:
    """Adds `delta` to an image; the result is float32."""
    return image.astype(np.float32) + np.float32(delta)


def augment(image: NDArray[Any], label: NDArray[Any], random: np.random.Generator) -> tuple[NDArray[Any], NDArray[Any]]:
    """Flips and rotates image and label alike, and brightens the image, at random.

    Half of the images are flipped. Square ones are rotated by 0, 90 or 180 degrees, others by 0, 180 or 360. Half get
    brighter by 0.2.

    Args:
        image: [channels, H, W], normalised.
        label: [..., H, W].
        random: source of the choices.

    Returns:
        image (always float32) and label; each may be a view.
    """
    flipped, turns, brighter = random.random() < 0.5, int(random.integers(3)), random.random() < 0.5
    if image.shape[-2] != image.shape[-1]:
        turns *= 2
    if flipped:
        image, label = flip(image), flip(label)
    image, label = rotate(image, turns), rotate(label, turns)
    return brighten(image, BRIGHTNESS if brighter else 0), label
