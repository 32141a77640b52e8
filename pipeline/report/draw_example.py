"""Draws an example: the grey image, and its label over it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from maskmill import Example

Picture = NDArray[np.uint8]

# Colours of the classes, from 1; safe for colour-blind people, and visible on grey (Okabe and Ito 2008).
COLOURS = ((230, 159, 0), (86, 180, 233), (0, 158, 115), (204, 121, 167), (240, 228, 66), (213, 94, 0), (0, 114, 178))
# Opacity of the colour over the image.
OPACITY = 0.5


def class_planes(label: NDArray[np.generic]) -> list[NDArray[np.bool_]]:
    """Splits a label into masks of its classes.

    Args:
        label: [1, H, W] for the loss bce, [classes, H, W] for multilabel_bce, with the background first, or [H, W] for
            ssce.

    Returns:
        bool [H, W] for each class, from 1.
    """
    if label.ndim == 2:
        return [label == number for number in range(1, int(label.max(initial=0)) + 1)]
    return [channel > 0 for channel in (label if len(label) == 1 else label[1:])]


def draw_label(example: Example) -> Picture:
    """Draws the label over the image; returns uint8 [H, W, 3]."""
    picture = np.repeat(example.image[0, :, :, np.newaxis], 3, axis=2)
    for number, plane in enumerate(class_planes(example.label)):
        colour = np.array(COLOURS[number % len(COLOURS)])
        picture[plane] = (picture[plane] * (1 - OPACITY) + colour * OPACITY).astype(np.uint8)
    return picture


def draw_side_by_side(example: Example, gap: int = 4) -> Picture:
    """Draws image and labelled image side by side, or one above the other if they are wide; uint8 [H, W, 3]."""
    grey = np.repeat(example.image[0, :, :, np.newaxis], 3, axis=2)
    height, width = grey.shape[:2]
    wide = width > 2 * height
    white = np.full((gap, width, 3) if wide else (height, gap, 3), 255, np.uint8)
    return np.concatenate([grey, white, draw_label(example)], axis=0 if wide else 1)
