"""Fits an image into its example: which box of the image the example shows, and where.

`stretch` shows the whole image in the whole example. `pad` and `crop` keep its aspect: `pad` shows the whole image in
the largest box of the example with that aspect, `crop` the largest box of the image with the example's aspect in the
whole example. One side of that box is exact; the other is rounded to whole pixels, half up, and at least 1. The box is
in the middle; if an odd number of pixels is beside it, the odd one is at the bottom or on the right.
"""

from __future__ import annotations

from typing import NamedTuple

WAYS = ("stretch", "pad", "crop")

Size = tuple[int, int]
# top, left, height, width; in pixels.
Box = tuple[int, int, int, int]


class Fit(NamedTuple):
    """The example shows the box `shown`, in pixels of the image, resized to the box `valid`, in pixels of the example."""

    shown: Box
    valid: Box


def fit(image: Size, example: Size, way: str) -> Fit:
    """Fits an image into an example.

    Args:
        image: (height, width) of the image, in pixels.
        example: (height, width) of the example, in pixels.
        way: one of `WAYS`.
    """
    whole_image, whole_example = (0, 0, *image), (0, 0, *example)
    if way == "pad":
        return Fit(whole_image, _largest_box(example, image))
    return Fit(_largest_box(image, example) if way == "crop" else whole_image, whole_example)


def _largest_box(outer: Size, aspect: Size) -> Box:
    """Returns the largest box with an aspect, given as a (height, width), in the middle of a size."""
    (height, width), (high, wide) = outer, aspect
    if high * width > wide * height:  # higher than `outer`: as high as that
        width = _round(height * wide, high)
    else:
        height = _round(width * high, wide)
    return (outer[0] - height) // 2, (outer[1] - width) // 2, height, width


def _round(dividend: int, divisor: int) -> int:
    """Divides and rounds half up, to at least 1."""
    return max(1, (2 * dividend + divisor) // (2 * divisor))
