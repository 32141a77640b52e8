"""Drawings of steel and its defects."""

from __future__ import annotations

import numpy as np
import pytest

from maskmill.pipeline.sample.draw_steel import choose_span, draw_defect, draw_image, draw_steel
from maskmill.pipeline.sample.plan_images import ALL_IMAGES, plan_image


def test_a_quarter_of_the_images_have_a_dark_edge() -> None:
    spans = [choose_span(np.random.default_rng([0, index])) for index in range(1000)]
    assert 0.2 < sum(span != (0, 1600) for span in spans) / len(spans) < 0.3
    assert all(900 < end - first <= 1600 for first, end in spans)
    image = draw_steel(np.random.default_rng(0), (0, 1000))
    assert image[:, 1000:].mean() < 0.2 * image[:, :1000].mean()


def test_a_copy_has_the_same_pixels_and_every_other_one_masks_of_its_own() -> None:
    plans = [plan_image(0, index) for index in range(ALL_IMAGES)]
    copies = [index for index, plan in enumerate(plans) if plan.drawn_as != index and plan.classes][:2]
    assert len(copies) == 2
    for index in copies:
        image, masks = draw_image(0, index)
        original, other_masks = draw_image(0, plans[index].drawn_as)
        assert np.array_equal(image, original)
        assert masks.keys() == other_masks.keys()
        same = all(np.array_equal(masks[class_id], other_masks[class_id]) for class_id in masks)
        assert same != plans[index].marked_anew


def test_a_black_image_shows_nothing() -> None:
    index = next(index for index in range(ALL_IMAGES) if plan_image(0, index).black)
    image, masks = draw_image(0, index)
    assert image.mean() < 12
    assert masks == {}


@pytest.mark.parametrize("class_id", [1, 2, 3, 4])
def test_a_defect_is_seen_where_its_mask_is_and_nowhere_else(class_id: int) -> None:
    rng = np.random.default_rng(class_id)
    steel = draw_steel(rng, (400, 1600))
    image = steel.copy()
    mask = draw_defect(image, class_id, rng, (400, 1600))
    assert mask.any()
    assert not mask[:, :400].any()
    changed = np.abs(image - steel)
    assert (changed[~mask] == 0).all()
    assert changed[mask].mean() > 12


def test_an_image_depends_on_its_seed_and_index_alone() -> None:
    image, masks = draw_image(3, 5)
    again, same_masks = draw_image(3, 5)
    assert (image.dtype, image.shape) == (np.uint8, (256, 1600))
    assert np.array_equal(image, again)
    assert masks.keys() == same_masks.keys()
    for other in (draw_image(3, 6), draw_image(4, 5)):
        assert not np.array_equal(image, other[0])
