"""Writes masks as text in every convention, pixel by pixel, without the code that reads them."""

from __future__ import annotations

import itertools

import numpy as np

CONVENTIONS = [
    {"encoding": encoding, "order": order, "first": first, "separator": separator}
    for encoding in ("pairs", "relative", "counts")
    for order in ("columns", "rows")
    for first in (1, 0)
    for separator in ("blank", "comma")
]


def write_mask(mask: np.ndarray, *, encoding: str, order: str, first: int, separator: str) -> str:
    """Writes a mask [height, width] in a convention; an empty one as "-1"."""
    lines = mask.T if order == "columns" else mask
    pixels = [bool(pixel) for line in lines for pixel in line]
    numbers: list[int] = []
    if encoding == "counts":
        # Of a mask that begins with 1, the number of 0 at its beginning is 0.
        groups = [(value, len(list(group))) for value, group in itertools.groupby(pixels)]
        numbers = [0] * (bool(groups) and groups[0][0]) + [count for _, count in groups]
        return _join(numbers, separator)
    end = first
    for value, group in itertools.groupby(enumerate(pixels), key=lambda pair: pair[1]):
        places = [place for place, _ in group]
        if value:
            start = places[0] + first
            numbers += [start if encoding == "pairs" or not numbers else start - end, len(places)]
            end = start + len(places)
    return _join(numbers, separator) if numbers else "-1"


def _join(numbers: list[int], separator: str) -> str:
    return (", " if separator == "comma" else " ").join(map(str, numbers))
