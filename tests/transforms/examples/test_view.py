"""Which box of an image an example shows, and where: in pixels computed by hand, and in general."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from maskmill.transforms.examples.view import view_of

sizes = st.tuples(st.integers(1, 3000), st.integers(1, 3000))


@pytest.mark.parametrize(
    ("image", "into", "way", "shown", "valid"),
    [
        ((256, 1600), (256, 256), "stretch", (0, 0, 256, 1600), (0, 0, 256, 256)),
        ((256, 1600), (256, 256), "pad", (0, 0, 256, 1600), (107, 0, 41, 256)),  # 40.96 high
        ((256, 1600), (256, 256), "crop", (0, 672, 256, 256), (0, 0, 256, 256)),
        ((1600, 256), (256, 256), "pad", (0, 0, 1600, 256), (0, 107, 256, 41)),
        ((1600, 256), (256, 256), "crop", (672, 0, 256, 256), (0, 0, 256, 256)),
        ((10, 10), (7, 7), "pad", (0, 0, 10, 10), (0, 0, 7, 7)),
        ((3, 5), (6, 6), "pad", (0, 0, 3, 5), (1, 0, 4, 6)),  # 3.6 high
        ((5, 2), (5, 5), "pad", (0, 0, 5, 2), (0, 1, 5, 2)),  # the odd pixel is on the right
        ((5, 2), (1, 1), "pad", (0, 0, 5, 2), (0, 0, 1, 1)),  # 0.4 wide
        ((5, 10), (3, 5), "crop", (0, 1, 5, 8), (0, 0, 3, 5)),  # 8.33 wide
        ((4, 2), (8, 5), "pad", (0, 0, 4, 2), (0, 0, 8, 4)),
        ((2, 3), (4, 5), "crop", (0, 0, 2, 3), (0, 0, 4, 5)),  # 2.5 wide, half up
    ],
)
def test_boxes_computed_by_hand(image: tuple, into: tuple, way: str, shown: tuple, valid: tuple) -> None:
    assert view_of(image, into, way) == (image, shown, valid)


@given(sizes, sizes, st.sampled_from(["stretch", "pad", "crop"]))
@example((1, 3000), (3000, 1), "pad")
@example((1, 3000), (3000, 1), "crop")
def test_boxes_are_inside_in_the_middle_and_of_the_other_ones_aspect(
    image: tuple[int, int], into: tuple[int, int], way: str
) -> None:
    _, shown, valid = view_of(image, into, way)
    for (top, left, height, width), (high, wide) in ((shown, image), (valid, into)):
        assert height >= 1
        assert width >= 1
        assert high - (top + height) - top in (0, 1)
        assert wide - (left + width) - left in (0, 1)
    if way == "stretch":
        assert (shown, valid) == ((0, 0, *image), (0, 0, *into))
        return
    cut, (high, wide) = (valid, image) if way == "pad" else (shown, into)
    if cut[2] == (into if way == "pad" else image)[0]:
        assert abs(cut[3] - Fraction(cut[2] * wide, high)) <= Fraction(1, 2) or cut[3] == 1
    else:
        assert cut[3] == (into if way == "pad" else image)[1]
        assert abs(cut[2] - Fraction(cut[3] * high, wide)) <= Fraction(1, 2) or cut[2] == 1


@given(sizes, st.integers(1, 5), st.integers(1, 5))
def test_an_image_of_the_examples_aspect_is_neither_padded_nor_cropped(
    size: tuple[int, int], by: int, over: int
) -> None:
    image, into = (size[0] * by, size[1] * by), (size[0] * over, size[1] * over)
    assert view_of(image, into, "pad") == view_of(image, into, "crop") == view_of(image, into, "stretch")
