"""Draws steel strips and their defects, like those of Kaggle's Severstal: Steel Defect Detection.

An image depends only on the seed and its index, not on the number of images, the workers, or the time. What each shows
is chosen in `plan_images`.
"""

import numpy as np
from numpy.typing import NDArray

from maskmill.pipeline.sample.plan_images import plan_image

DefectMask = NDArray[np.bool_]
GreyLevels = NDArray[np.float32]
Span = tuple[int, int]

HEIGHT, WIDTH = 256, 1600


def draw_image(seed: int, index: int) -> tuple[NDArray[np.uint8], dict[int, DefectMask]]:
    """Draws an image: grey levels, uint8 [256, 1600], and a mask, bool [256, 1600], for each class in it.

    A copy of another image has the pixels of that one; every other copy has masks of its own, as if somebody else had
    marked the defects.
    """
    plan = plan_image(seed, index)
    rng = np.random.default_rng([seed, plan.drawn_as])
    span = (0, 0) if plan.black else choose_span(rng)
    image = draw_steel(rng, span)
    masks = {class_id: draw_defect(image, class_id, rng, span) for class_id in plan.classes}
    if plan.marked_anew:
        masks = {class_id: widened(mask) for class_id, mask in masks.items()}
    return np.clip(image, 0, 255, out=image).astype(np.uint8), masks


def widened(mask: DefectMask) -> DefectMask:
    """Widens each run by a pixel at its end, as far as there is one."""
    wide = mask.copy(order="K")
    wide[1:] |= mask[:-1]
    return wide


def choose_span(rng: np.random.Generator) -> Span:
    """Chooses the columns (first, end) that show steel; every fourth image is black at one side."""
    edge = int(rng.integers(40, 700)) if rng.random() < 0.25 else 0
    return (edge, WIDTH) if rng.random() < 0.5 else (0, WIDTH - edge)


def draw_steel(rng: np.random.Generator, span: Span = (0, WIDTH)) -> GreyLevels:
    """Draws flawless steel, float32 [256, 1600]: nearly black beside the columns (first, end) of `span`."""
    noise = rng.integers(0, 256, (HEIGHT, WIDTH + 1), np.uint8)
    # Grain, drawn out a little along the rows.
    image: GreyLevels = np.add(noise[:, :-1], noise[:, 1:], dtype=np.float32)
    image *= rng.uniform(0.09, 0.17)
    image += rng.uniform(20, 80) + _profile(rng, WIDTH, 9, 22) + _streaks(rng, WIDTH, 5)
    image += (_profile(rng, HEIGHT, 5, 6) + _streaks(rng, HEIGHT, 2))[:, None]
    for _ in range(2):
        image += _profile(rng, HEIGHT, 8, 1)[:, None] * _profile(rng, WIDTH, 50, 10)
    for edge in (image[:, : span[0]], image[:, span[1] :]):
        edge *= 0.07
    return image


def _profile(rng: np.random.Generator, size: int, knots: int, height: float) -> GreyLevels:
    """Draws a line, float32 [size], through random knots in -height … height."""
    values = rng.uniform(-height, height, knots)
    return np.interp(np.arange(size), np.linspace(0, size - 1, knots), values).astype(np.float32)


def _streaks(rng: np.random.Generator, size: int, height: float) -> GreyLevels:
    """Draws random levels, float32 [size], in -height … height, each near its neighbour's; a few stand out."""
    levels = rng.uniform(-height, height, size + 1)
    levels[rng.random(size + 1) < 0.02] *= 4
    return np.float32(0.5) * (levels[:-1] + levels[1:]).astype(np.float32)


def _draw_blob(rng: np.random.Generator, height: int, width: int) -> tuple[DefectMask, GreyLevels]:
    """Draws a ragged ellipse, bool [height, width], a run a column, and weights, float32, from 0 at its border to 1."""
    y, x = np.linspace(-1, 1, height)[:, None], np.linspace(-1, 1, width + 2)[1:-1]
    inside = 1 - x * x
    top, bottom = (np.sqrt(inside) * (0.8 + _profile(rng, width, width // 12 + 2, 0.2)) for _ in range(2))
    least = 1.5 / height  # so that no column is without a run
    mask = (y >= -np.maximum(top, least)) & (y <= np.maximum(bottom, least))
    return mask, (1.6 * (inside - y * y)).clip(0, 1).astype(np.float32)


def _shade_spot(rng: np.random.Generator, height: int, width: int) -> GreyLevels:
    return np.full((height, width), rng.choice([-60, -50, 55]), np.float32)


def _shade_scratch(rng: np.random.Generator, height: int, width: int) -> GreyLevels:
    slant = (np.arange(height) * rng.uniform(0, 0.4)).astype(np.int64)
    streaks = 22 * int(rng.choice([-1, 1])) + _streaks(rng, width + int(slant[-1]), 40)
    shade: GreyLevels = streaks[np.arange(width) + slant[:, None]]
    return shade * (1 + _profile(rng, height, 6, 0.6)[:, None])


def _shade_rough(rng: np.random.Generator, height: int, width: int) -> GreyLevels:
    shade = np.full((height, width), -8, np.float32)
    for down, across in ((2, 3), (5, 7), (11, 16)):
        coarse = rng.uniform(-30, 30, (height // down + 1, width // across + 1)).astype(np.float32)
        shade += coarse.repeat(down, axis=0).repeat(across, axis=1)[:height, :width]
    return shade


# For each class: number, height and width of its defects (least, end), and the function that shades them.
_DEFECTS = {
    1: ((2, 7), (10, 40), (12, 32), _shade_spot),
    2: ((1, 4), (80, 240), (12, 26), _shade_spot),
    3: ((1, 5), (60, 250), (72, 224), _shade_scratch),
    4: ((1, 3), (80, 220), (150, 400), _shade_rough),
}


def draw_defect(image: GreyLevels, class_id: int, rng: np.random.Generator, span: Span = (0, WIDTH)) -> DefectMask:
    """Draws a class's defects into `image`, float32 [256, 1600]; returns their mask, bool [256, 1600], never empty."""
    mask = np.zeros((WIDTH, HEIGHT), np.bool_).T  # column-major, as runs go
    number, heights, widths, shade = _DEFECTS[class_id]
    for _ in range(rng.integers(*number)):
        height, width = int(rng.integers(*heights)), int(rng.integers(*widths))
        top, left = int(rng.integers(HEIGHT - height)), int(rng.integers(span[0], span[1] - width))
        place = np.s_[top : top + height, left : left + width]
        shape, weights = _draw_blob(rng, height, width)
        image[place] += shade(rng, height, width) * weights * shape
        mask[place] |= shape
    return mask
