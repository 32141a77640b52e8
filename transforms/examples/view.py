"""Computes the view of an example: which box of its image file it shows, and where."""

from __future__ import annotations

from maskmill.views import Box, View


def whole_view(stored_size: tuple[int, int], resized: tuple[int, int]) -> View:
    """Returns the view of a whole image that is stretched to a size; tiled examples repeat it.

    Args:
        stored_size: (height, width) of the image file, in pixels.
        resized: (height, width) that it gets, in pixels.
    """
    return View(stored_size, Box(0, 0, *stored_size), Box(0, 0, *resized))
