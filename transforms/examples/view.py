"""Computes the view of an example: which box of its image file it shows, and where.

`stretch` shows the whole image in the whole example. `pad` and `crop` keep the aspect of the image: `pad` shows the
whole image in the largest box of that aspect in the example, `crop` shows the largest box of the example's aspect in
the image in the whole example. One side of that box is exact; the other is rounded to whole pixels, half up, and at
least 1. The box is in the middle; if an odd number of pixels is beside it, the odd one is below or on the right.
"""

from __future__ import annotations

from maskmill.views import Box, View

Size = tuple[int, int]


def view_of(stored_size: Size, resized: Size, resize: str = "stretch") -> View:
    """Returns the view of an image.

    Args:
        stored_size: (height, width) of the image file, in pixels.
        resized: (height, width) of the example, or of the part of it that is tiled, in pixels.
        resize: `stretch`, `pad` or `crop`.
    """
    shown, valid = Box(0, 0, *stored_size), Box(0, 0, *resized)
    if resize == "pad":
        return View(stored_size, shown, _largest_box(resized, stored_size))
    return View(stored_size, _largest_box(stored_size, resized) if resize == "crop" else shown, valid)


def _largest_box(outer: Size, aspect: Size) -> Box:
    """Returns the largest box with the aspect of a (height, width) in the middle of another."""
    (height, width), (high, wide) = outer, aspect
    if high * width > wide * height:
        width = round_half_up(height * wide, high)
    else:
        height = round_half_up(width * high, wide)
    return Box((outer[0] - height) // 2, (outer[1] - width) // 2, height, width)


def round_half_up(dividend: int, divisor: int) -> int:
    """Divides and rounds half up, to at least 1."""
    return max(1, (2 * dividend + divisor) // (2 * divisor))
