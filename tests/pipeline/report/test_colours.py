"""Colours of classes, and shades of splits."""

from __future__ import annotations

import itertools

from maskmill.pipeline.report.colours import CLASS_COLOURS, SPLIT_SHADES, class_colour, hex_colour, split_shade


def test_a_class_has_the_same_colour_in_every_report_and_each_another() -> None:
    assert [hex_colour(class_colour(number)) for number in (1, 2, 3, 4)] == ["#e69f00", "#56b4e9", "#009e73", "#cc79a7"]
    assert len(set(CLASS_COLOURS)) == 7
    assert class_colour(8) == class_colour(1)


def test_splits_differ_in_lightness_and_never_look_like_a_class() -> None:
    assert [split_shade(order) for order in (0, 1, 6)] == [0.9, 0.45, 0.9]
    assert all(abs(one - other) > 0.07 for one, other in itertools.combinations(SPLIT_SHADES, 2))
    assert all(max(colour) - min(colour) > 60 for colour in CLASS_COLOURS)
