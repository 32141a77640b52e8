"""Chooses the colours of a report, the same in every report: a hue for each class, a shade of ink for each split."""

from __future__ import annotations

Colour = tuple[int, int, int]

# By the number of the class, from 1; safe for colour-blind people, and visible on grey (Okabe and Ito, Color Universal
# Design, 2008).
CLASS_COLOURS: tuple[Colour, ...] = (
    (230, 159, 0),
    (86, 180, 233),
    (0, 158, 115),
    (204, 121, 167),
    (240, 228, 66),
    (213, 94, 0),
    (0, 114, 178),
)
# By the order of the split: opacity of the colour of the text. Shades differ in lightness alone, which colour-blind
# people see as everybody does (Tol, Colour Schemes, 2021), and cannot be taken for a class.
SPLIT_SHADES = (0.9, 0.45, 0.2, 0.65, 0.32, 0.12)
# By the order of the split, for lines: solid, dashed, dotted, …
SPLIT_DASHES = ("-", "--", ":", "-.")


def class_colour(number: int) -> Colour:
    """Returns the colour of a class by its number, from 1; more classes than colours begin again with the first."""
    return CLASS_COLOURS[(number - 1) % len(CLASS_COLOURS)]


def hex_colour(colour: Colour) -> str:
    """Writes a colour as `#rrggbb`."""
    return "#{:02x}{:02x}{:02x}".format(*colour)


def split_shade(order: int) -> float:
    """Returns the opacity of a split by its order, from 0."""
    return SPLIT_SHADES[order % len(SPLIT_SHADES)]


def split_dash(order: int) -> str:
    """Returns the line style of a split by its order, from 0."""
    return SPLIT_DASHES[order % len(SPLIT_DASHES)]
