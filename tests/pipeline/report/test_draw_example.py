"""An example as a picture, with its label over it."""

from __future__ import annotations

import numpy as np
import pytest

from maskmill import Example
from maskmill.pipeline.report.colours import CLASS_COLOURS, class_colour
from maskmill.pipeline.report.draw_example import class_planes, draw_label, draw_side_by_side, shown_classes

GREY = np.full((1, 6, 8), 100, np.uint8)


def test_wide_images_stand_one_above_the_other() -> None:
    wide = Example(np.zeros((1, 10, 64), np.uint8), np.zeros((1, 10, 64), np.float32), "")
    assert draw_side_by_side(wide, {"class 3": 3}).shape == (24, 64, 3)


def test_each_class_has_its_colour() -> None:
    numbers = np.zeros((6, 8), np.int32)
    numbers[0, 0], numbers[1, 1] = 1, 3
    one_hot = np.stack([numbers == number for number in range(4)]).astype(np.float32)
    for label in (numbers, one_hot):
        example = Example(GREY, label, "")
        picture = draw_label(example, [1, 2, 3])
        for place, number in (((0, 0), 1), ((1, 1), 3)):
            assert picture[place].tolist() == [(100 + part) // 2 for part in class_colour(number)]
        assert (picture == 100).all(axis=2).sum() == 6 * 8 - 2
        assert shown_classes(example, ["a", "b", "c"]) == ["a", "c"]


def test_an_image_with_colours_keeps_them_beside_and_below_its_label() -> None:
    image = np.random.default_rng(1).integers(0, 256, (3, 6, 8), np.uint8)
    label = np.zeros((1, 6, 8), np.float32)
    label[0, 2, 3] = 1
    picture = draw_side_by_side(Example(image, label, ""), {"class 3": 3})
    assert np.array_equal(picture[:6, :8], image.transpose(1, 2, 0))
    drawn = draw_label(Example(image, label, ""), [3])
    changed = (drawn != picture[:6, :8]).any(axis=2)
    assert (changed == label[0].astype(bool)).all()
    assert np.array_equal(image, np.random.default_rng(1).integers(0, 256, (3, 6, 8), np.uint8))


def test_the_colour_of_a_class_is_that_of_its_number_and_not_of_its_place_in_the_label() -> None:
    label = np.zeros((1, 6, 8), np.float32)
    label[0, 2, 3] = 1
    picture = draw_label(Example(GREY, label, ""), [4])
    assert picture[2, 3].tolist() == [(100 + part) // 2 for part in class_colour(4)]


def test_the_only_channel_of_a_binary_label_is_the_defect() -> None:
    label = np.zeros((1, 6, 8), np.float32)
    label[0, 2, 3] = 1
    assert [plane.sum() for plane in class_planes(label)] == [1]


@pytest.mark.parametrize("classes", [0, 1, 3, 9])
def test_a_label_of_numbers_has_a_plane_for_each_up_to_the_highest(classes: int) -> None:
    label = np.zeros((6, 8), np.int32)
    label[2, 3] = classes
    planes = class_planes(label)
    assert len(planes) == classes
    assert [int(plane.sum()) for plane in planes] == [0] * (classes - 1) + [1] * min(classes, 1)


def test_more_classes_than_colours_begin_again_with_the_first() -> None:
    numbers = range(1, len(CLASS_COLOURS) + 2)
    label = np.zeros((6, 8), np.int32)
    label[0, 0], label[1, 1] = 1, numbers[-1]
    picture = draw_label(Example(GREY, label, ""), numbers)
    assert picture[0, 0].tolist() == picture[1, 1].tolist() != [100] * 3
