"""Chooses what each image of a sample shows, in the proportions of Severstal's training set: 12,568 images.

The numbers of images by their sets of classes are those of its train.csv: 7,095 rows, 6,666 images with a defect, 427
of them with several classes; rows of the four classes: 897, 247, 5,150 and 801. 44 pairs of its images are the same to
the pixel, some with other masks, and some images are wholly black.
"""

import functools
from typing import NamedTuple

import numpy as np

CLASSES = (1, 2, 3, 4)
# Number of images by the classes of their defects.
IMAGES_BY_CLASSES = {
    (): 5902,
    (3,): 4759,
    (1,): 769,
    (4,): 516,
    (3, 4): 284,
    (2,): 195,
    (1, 3): 91,
    (1, 2): 35,
    (2, 3): 14,
    (1, 2, 3): 2,
    (2, 4): 1,
}
ALL_IMAGES = sum(IMAGES_BY_CLASSES.values())
COPIES, BLACK_IMAGES = 44, 20


class PlannedImage(NamedTuple):
    """What an image shows.

    Attributes:
        classes: of its defects, ascending.
        drawn_as: index of the image that it is a copy of; its own index if it is none.
        marked_anew: whether its masks differ from those of the image that it is a copy of.
        black: whether it shows nothing at all.
    """

    classes: tuple[int, ...]
    drawn_as: int
    marked_anew: bool = False
    black: bool = False


def plan_image(seed: int, index: int) -> PlannedImage:
    """Plans an image: each `ALL_IMAGES` of them have just the proportions of the real ones, in an order of their own.

    Args:
        seed: from 0.
        index: of the image, from 0; nothing depends on how many there are.
    """
    turn, place = divmod(index, ALL_IMAGES)
    plan = _plan_turn(seed, turn)[place]
    return plan._replace(drawn_as=turn * ALL_IMAGES + plan.drawn_as)


@functools.lru_cache(maxsize=2)
def _plan_turn(seed: int, turn: int) -> tuple[PlannedImage, ...]:
    rng = np.random.default_rng([seed, turn, ALL_IMAGES])
    kinds = [classes for classes, number in IMAGES_BY_CLASSES.items() for _ in range(number)]
    plans = [PlannedImage(kinds[kind], place) for place, kind in enumerate(rng.permutation(ALL_IMAGES).tolist())]
    _plan_copies(plans, rng)
    _plan_black(plans)
    return tuple(plans)


def _plan_copies(plans: list[PlannedImage], rng: np.random.Generator) -> None:
    """Makes some images copies of earlier ones with defects of the same classes, each of another one."""
    places = rng.choice(np.arange(ALL_IMAGES // 100, ALL_IMAGES), 2 * COPIES, replace=False)
    wanted = set(places.tolist())
    earlier: dict[tuple[int, ...], int] = {}
    made = 0
    for place, plan in enumerate(plans):
        original = earlier.pop(plan.classes, None) if made < COPIES and place in wanted else None
        if original is None:
            earlier[plan.classes] = place
        else:
            plans[place] = plan._replace(drawn_as=original, marked_anew=made % 2 == 1)
            made += 1


def _plan_black(plans: list[PlannedImage]) -> None:
    """Makes some images black, at equal distances: of those without a defect that are no copies, and have none."""
    copied = {plan.drawn_as for place, plan in enumerate(plans) if plan.drawn_as != place}
    free = [
        place for place, plan in enumerate(plans) if not plan.classes and plan.drawn_as == place and place not in copied
    ]
    step = len(free) // BLACK_IMAGES
    for place in free[step // 2 :: step][:BLACK_IMAGES]:
        plans[place] = plans[place]._replace(black=True)
