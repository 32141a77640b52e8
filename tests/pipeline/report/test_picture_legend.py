"""The legend below a picture."""

from __future__ import annotations

import numpy as np

from maskmill.pipeline.report.colours import CLASS_COLOURS
from maskmill.pipeline.report.picture_legend import add_legend

COLOURS = {f"class {number}": colour for number, colour in enumerate(CLASS_COLOURS, 1)}


def test_the_picture_stays_and_each_colour_is_below_it() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (30, 400, 3), np.uint8)
    drawn = add_legend(picture, COLOURS)
    assert np.array_equal(drawn[:30], picture)
    below = drawn[30:].reshape(-1, 3).tolist()
    assert all(below.count(list(colour)) >= 100 for colour in CLASS_COLOURS)


def test_a_legend_takes_more_lines_in_a_narrow_picture_and_none_is_cut_off() -> None:
    heights = []
    for width in (1000, 200, 10):
        drawn = add_legend(np.zeros((30, width, 3), np.uint8), COLOURS)
        heights.append(len(drawn))
        assert drawn.shape[1] >= width
        assert (drawn[30:, -3:] == 255).all()
    assert heights[0] < heights[1] < heights[2]
