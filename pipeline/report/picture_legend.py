"""Draws a legend below a picture: a square of each colour, and its name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from maskmill.pipeline.report.colours import Colour

_TEXT_SIZE, _LINE, _SQUARE, _GAP = 14, 20, 12, 6
_WHITE, _BLACK = (255, 255, 255), (0, 0, 0)


def add_legend(picture: NDArray[np.uint8], colours: Mapping[str, Colour]) -> NDArray[np.uint8]:
    """Puts a legend below a picture, in as many lines as it takes; a picture narrower than a name becomes wider.

    Args:
        picture: uint8 [H, W, 3].
        colours: by name.
    """
    font = ImageFont.load_default(_TEXT_SIZE)
    widths = {name: _SQUARE + 3 * _GAP + int(font.getlength(name)) for name in colours}
    height, width = picture.shape[:2]
    width = max(width, *widths.values())
    places = list(_places(widths, width))
    canvas = Image.new("RGB", (width, height + places[-1][2] + _LINE + _GAP), _WHITE)
    canvas.paste(Image.fromarray(picture), (0, 0))
    draw = ImageDraw.Draw(canvas)
    for name, left, top in places:
        left, top = left + _GAP, height + _GAP + top
        square_top = top + (_LINE - _SQUARE) // 2
        draw.rectangle((left, square_top, left + _SQUARE - 1, square_top + _SQUARE - 1), colours[name], _BLACK)
        draw.text((left + _SQUARE + _GAP, top + _LINE // 2), name, _BLACK, font, anchor="lm")
    return np.asarray(canvas)


def _places(widths: Mapping[str, int], most: int) -> Iterator[tuple[str, int, int]]:
    """Yields the names with the left and the top of each, in lines of at most so many pixels."""
    left = top = 0
    for name, width in widths.items():
        if left and left + width > most:
            left, top = 0, top + _LINE
        yield name, left, top
        left += width
