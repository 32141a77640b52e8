"""An example as a picture: grey, and with its label drawn over it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from maskmill import Example

Picture = NDArray[np.uint8]

# Of the classes, from 1; told apart on grey also by those who do not see red and green alike (Okabe and Ito 2008).
COLOURS = ((230, 159, 0), (86, 180, 233), (0, 158, 115), (204, 121, 167), (240, 228, 66), (213, 94, 0), (0, 114, 178))
# Of the colour, in what is drawn over the image.
OPACITY = 0.5


def class_planes(label: NDArray[np.generic]) -> list[NDArray[np.bool_]]:
    """Where each class is, from 1.

    Args:
        label: [1, H, W] of the loss bce, [classes, H, W] of multilabel_bce, whose first channel is the background, or
            [H, W] of ssce.

    Returns:
        bool [H, W] for each class.
    """
    if label.ndim == 2:
        return [label == number for number in range(1, int(label.max(initial=0)) + 1)]
    return [channel > 0 for channel in (label if len(label) == 1 else label[1:])]


def draw_label(example: Example) -> Picture:
    """The image with the label over it, uint8 [H, W, 3]."""
    picture = np.repeat(example.image[0, :, :, np.newaxis], 3, axis=2)
    for number, plane in enumerate(class_planes(example.label)):
        colour = np.array(COLOURS[number % len(COLOURS)])
        picture[plane] = (picture[plane] * (1 - OPACITY) + colour * OPACITY).astype(np.uint8)
    return picture


def draw_side_by_side(example: Example, gap: int = 4) -> Picture:
    """Image and labelled image, one beside the other, or above it where they are wide; uint8 [H, W, 3]."""
    grey = np.repeat(example.image[0, :, :, np.newaxis], 3, axis=2)
    height, width = grey.shape[:2]
    wide = width > 2 * height
    white = np.full((gap, width, 3) if wide else (height, gap, 3), 255, np.uint8)
    return np.concatenate([grey, white, draw_label(example)], axis=0 if wide else 1)
