"""Draws an example: the image, and its label over it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from maskmill import Example
from maskmill.pipeline.report.class_counts import class_title
from maskmill.pipeline.report.colours import class_colour
from maskmill.pipeline.report.picture_legend import add_legend

Picture = NDArray[np.uint8]

# Opacity of the colour over the image.
OPACITY = 0.5


def picture_of(image: NDArray[np.uint8]) -> Picture:
    """Copies an image, [1, H, W] or [3, H, W], to [H, W, 3]."""
    return np.broadcast_to(image, (3, *image.shape[1:])).transpose(1, 2, 0).copy()


def class_planes(label: NDArray[np.generic] | None) -> list[NDArray[np.bool_]]:
    """Splits a label into masks of its classes.

    Args:
        label: [1, H, W] for the loss bce, [classes, H, W] for multilabel_bce, with the background first, or [H, W] for
            ssce; None without a label.

    Returns:
        bool [H, W] for each class, from 1.
    """
    if label is None:
        return []
    if label.ndim == 2:
        return [label == number for number in range(1, int(label.max(initial=0)) + 1)]
    return [channel > 0 for channel in (label if len(label) == 1 else label[1:])]


def draw_label(example: Example, numbers: Sequence[int]) -> Picture:
    """Draws the label over the image, each class in its colour.

    Args:
        example: image and label.
        numbers: numbers of the classes that the label distinguishes, in its order, from 1.

    Returns:
        uint8 [H, W, 3].
    """
    picture = picture_of(example.image)
    for number, plane in zip(numbers, class_planes(example.label), strict=False):
        colour = np.array(class_colour(number))
        picture[plane] = (picture[plane] * (1 - OPACITY) + colour * OPACITY).astype(np.uint8)
    return picture


def number_classes(example: Example) -> dict[str, int]:
    """Names the classes that a label distinguishes by their numbers, where nothing says which they are."""
    return {class_title(str(number)): number for number in range(1, len(class_planes(example.label)) + 1)}


def shown_classes(example: Example, names: Sequence[str]) -> list[str]:
    """Returns the names of the classes that an example shows, of those that its label distinguishes."""
    return [name for name, plane in zip(names, class_planes(example.label), strict=False) if plane.any()]


def draw_side_by_side(
    example: Example,
    classes: Mapping[str, int],
    gap: int = 4,
    mark: Callable[[Picture], Picture] = lambda picture: picture,
) -> Picture:
    """Draws image and labelled image side by side, or one above the other if they are wide, with a legend below.

    Without a label, there is only the image.

    Args:
        example: image and label.
        classes: the numbers of the classes that the label distinguishes, by name, in its order.
        gap: pixels between the images.
        mark: draws more over the labelled image, or over the only one.

    Returns:
        uint8 [height, width, 3]; the legend names the classes that the example shows, and is left out without any.
    """
    plain = picture_of(example.image)
    if example.label is None:
        return mark(plain)
    height, width = plain.shape[:2]
    wide = width > 2 * height
    white = np.full((gap, width, 3) if wide else (height, gap, 3), 255, np.uint8)
    pictures = [plain, white, mark(draw_label(example, list(classes.values())))]
    picture = np.concatenate(pictures, axis=0 if wide else 1)
    shown = shown_classes(example, list(classes))
    return add_legend(picture, {name: class_colour(classes[name]) for name in shown}) if shown else picture
