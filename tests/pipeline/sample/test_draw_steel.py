"""Drawings of steel and its defects."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from maskmill.pipeline.sample.draw_steel import draw_defect, draw_image, draw_steel, plan_image


def test_about_half_of_the_images_have_no_defect_and_class_3_prevails() -> None:
    plans = [plan_image(np.random.default_rng([0, index]))[0] for index in range(3000)]
    assert 0.42 < sum(not classes for classes in plans) / len(plans) < 0.52
    assert 0.02 < sum(len(classes) == 2 for classes in plans) / len(plans) < 0.05
    rows = Counter(class_id for classes in plans for class_id in classes)
    shares = {class_id: rows[class_id] / rows.total() for class_id in (1, 2, 3, 4)}
    assert shares == pytest.approx({1: 0.126, 2: 0.035, 3: 0.726, 4: 0.113}, abs=0.06)
    assert all(list(classes) == sorted(set(classes)) for classes in plans)


def test_a_quarter_of_the_images_have_a_dark_edge() -> None:
    spans = [plan_image(np.random.default_rng([0, index]))[1] for index in range(1000)]
    assert 0.2 < sum(span != (0, 1600) for span in spans) / len(spans) < 0.3
    assert all(900 < end - first <= 1600 for first, end in spans)
    image = draw_steel(np.random.default_rng(0), (0, 1000))
    assert image[:, 1000:].mean() < 0.2 * image[:, :1000].mean()


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
