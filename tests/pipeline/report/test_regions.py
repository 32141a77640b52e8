"""Runs and connected regions of a mask."""

from __future__ import annotations

import numpy as np
import pytest

from maskmill.pipeline.report.regions import count_runs_and_regions


def mask(*lines: str) -> np.ndarray:
    return np.array([[letter == "x" for letter in line] for line in lines])


@pytest.mark.parametrize(
    ("lines", "runs", "regions"),
    [
        (("...", "..."), 0, 0),
        (("xxx", "xxx"), 1, 1),
        (("x..", ".x.", "..x"), 3, 1),
        (("x.x", "...", "x.x"), 4, 4),
        (("x.x", ".x.", "x.x"), 5, 1),
        # The end of a column and the beginning of the next are one run, and two regions.
        ((".x", "..", "x."), 1, 2),
        (("xxxx", "x..x", "xxxx", "....", "xxxx"), 7, 2),
        (("xxx.xxx", "x.x.x.x", "x.xxx.x"), 4, 1),
    ],
)
def test_pixels_that_share_a_side_or_a_corner_are_of_one_region(
    lines: tuple[str, ...], runs: int, regions: int
) -> None:
    assert count_runs_and_regions(mask(*lines)) == (runs, regions)


def test_masks_at_random_have_the_regions_that_a_search_finds() -> None:
    random = np.random.default_rng(0)
    for _ in range(500):
        size = random.integers(1, 12, 2)
        drawn = random.random(size) < random.random()
        down = drawn.T.ravel()
        runs = int(np.count_nonzero(down[1:] & ~down[:-1])) + int(down[0])
        assert count_runs_and_regions(drawn) == (runs, search(drawn)), drawn.astype(int)


def search(drawn: np.ndarray) -> int:
    """Counts regions by visiting each pixel and its neighbours."""
    left = {(int(row), int(column)) for row, column in zip(*np.nonzero(drawn), strict=True)}
    regions = 0
    while left:
        regions += 1
        to_visit = [left.pop()]
        while to_visit:
            row, column = to_visit.pop()
            near = {(row + down, column + right) for down in (-1, 0, 1) for right in (-1, 0, 1)} & left
            left -= near
            to_visit += near
    return regions
