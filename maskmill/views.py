"""Describes which part of its image file an example shows, and where in the example."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from maskmill.names import IMAGE_SIZES, SHOWN, VALID

Item = TypeVar("Item", bound=np.generic)

# Names of the attributes of a shard, and the numbers that each has for an example.
VIEW_ATTRIBUTES = {IMAGE_SIZES: 2, SHOWN: 4, VALID: 4}


class Box(NamedTuple):
    """A rectangle of pixels."""

    top: int
    left: int
    height: int
    width: int

    @property
    def size(self) -> tuple[int, int]:
        """(height, width), in pixels."""
        return self.height, self.width

    def cut(self, array: NDArray[Item]) -> NDArray[Item]:
        """Returns the box of an image or a label, [..., H, W], without a copy."""
        return array[..., self.top : self.top + self.height, self.left : self.left + self.width]


class View(NamedTuple):
    """What an example shows: a box of its image file, scaled to a box of the example.

    Attributes:
        image_size: (height, width) of the image file, in pixels.
        shown: box of the image file that the example shows.
        valid: box of the example that shows it; other pixels of the example are padding, or repeat the image.
    """

    image_size: tuple[int, int]
    shown: Box
    valid: Box


class Views(NamedTuple):
    """The views of several examples, one a row.

    Attributes:
        image_sizes: height and width of the image file, int32 [n, 2].
        shown: box of the image file that the example shows, int32 [n, 4]: top, left, height, width.
        valid: box of the example that shows it, int32 [n, 4]: top, left, height, width.
    """

    image_sizes: NDArray[np.int32]
    shown: NDArray[np.int32]
    valid: NDArray[np.int32]

    def of(self, row: int) -> View:
        """Returns the view of one example."""
        height, width = self.image_sizes[row].tolist()
        return View((height, width), Box(*self.shown[row].tolist()), Box(*self.valid[row].tolist()))

    @property
    def valid_pixels(self) -> NDArray[np.int64]:
        """Number of pixels of the valid box of each example, int64 [n]."""
        pixels: NDArray[np.int64] = self.valid[:, 2:].prod(axis=1, dtype=np.int64)
        return pixels

    def part(self, rows: NDArray[np.integer[Any]] | list[int] | slice) -> Views:
        """Selects examples."""
        return Views(*(array[rows] for array in self))


def valid_part(array: NDArray[Item], view: View | None) -> NDArray[Item]:
    """Returns the valid box of an image or a label; all of it if its view is not recorded."""
    return array if view is None else view.valid.cut(array)


def mark_padding(labels: NDArray[Any], views: Views, value: float) -> None:
    """Sets the pixels of labels that are outside of the valid boxes to a value.

    Args:
        labels: [n, …, H, W], changed in place.
        views: of the n examples.
        value: for padding.
    """
    for row, label in enumerate(labels):
        box = views.of(row).valid
        if box.size != label.shape[-2:]:
            inside = box.cut(label).copy()
            label[...] = value
            box.cut(label)[...] = inside


def empty_views(examples: int) -> Views:
    """Makes the views of so many examples, to be filled."""
    return Views(*(np.zeros((examples, numbers), np.int32) for numbers in VIEW_ATTRIBUTES.values()))


def recorded_views(attributes: Mapping[str, Any], examples: int) -> Views | None:
    """Reads the views that a shard records; None if it records none.

    Args:
        attributes: of the shard's file.
        examples: number of examples in it.

    Raises:
        ValueError: the attributes are not those of so many examples.
    """
    if not examples or VALID not in attributes:
        return None
    arrays = {name: np.asarray(attributes[name]) for name in VIEW_ATTRIBUTES if name in attributes}
    for name, numbers in VIEW_ATTRIBUTES.items():
        if name not in arrays or arrays[name].shape != (examples, numbers):
            raise ValueError(f"its attribute {name} is not of {examples} examples")
    return Views(*arrays.values())
