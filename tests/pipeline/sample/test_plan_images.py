"""What the images of a sample show: the proportions of the real training set."""

from __future__ import annotations

from collections import Counter

import pytest

from maskmill.pipeline.sample.plan_images import ALL_IMAGES, BLACK_IMAGES, COPIES, PlannedImage, plan_image


def plan_all(seed: int, turn: int = 0) -> list[PlannedImage]:
    return [plan_image(seed, turn * ALL_IMAGES + place) for place in range(ALL_IMAGES)]


@pytest.mark.parametrize(("seed", "turn"), [(0, 0), (0, 1), (7, 0)])
def test_as_many_images_as_the_real_set_has_show_what_it_shows(seed: int, turn: int) -> None:
    plans = plan_all(seed, turn)
    assert len(plans) == 12568
    assert Counter(class_id for plan in plans for class_id in plan.classes) == {1: 897, 2: 247, 3: 5150, 4: 801}
    assert sum(bool(plan.classes) for plan in plans) == 6666
    assert sum(len(plan.classes) > 1 for plan in plans) == 427
    assert all(list(plan.classes) == sorted(set(plan.classes)) for plan in plans)


@pytest.mark.parametrize(("seed", "turn"), [(0, 0), (0, 2), (3, 0)])
def test_copies_are_of_earlier_images_with_the_same_classes(seed: int, turn: int) -> None:
    plans, first = plan_all(seed, turn), turn * ALL_IMAGES
    copies = {first + place: plan for place, plan in enumerate(plans) if plan.drawn_as != first + place}
    assert len(copies) == COPIES == 44
    originals = [plan.drawn_as for plan in copies.values()]
    assert len(set(originals)) == COPIES
    assert not set(originals) & copies.keys()
    for index, plan in copies.items():
        assert first <= plan.drawn_as < index
        assert plans[plan.drawn_as - first].classes == plan.classes
    assert sum(plan.marked_anew for plan in copies.values()) == COPIES // 2


def test_black_images_have_no_defect_and_no_copy() -> None:
    plans = plan_all(0)
    black = [place for place, plan in enumerate(plans) if plan.black]
    assert len(black) == BLACK_IMAGES
    assert all(plans[place].classes == () and plans[place].drawn_as == place for place in black)
    assert not set(black) & {plan.drawn_as for place, plan in enumerate(plans) if plan.drawn_as != place}


def test_a_seed_has_an_order_of_its_own() -> None:
    assert [plan.classes for plan in plan_all(0)[:50]] != [plan.classes for plan in plan_all(1)[:50]]
