"""Runs become masks, and masks runs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from maskmill.runs import format_runs, mask_to_runs
from maskmill.transforms.examples.rle import (
    covered_intervals,
    have_overlaps,
    pack_runs,
    runs_to_mask,
    unpack_runs,
)
from maskmill.transforms.limits import MAX_ELEMENT_BYTES
from maskmill.transforms.rejected import Code, DataError

masks = hnp.arrays(np.uint8, hnp.array_shapes(min_dims=2, max_dims=2, max_side=12), elements=st.integers(0, 1))
run_lists = st.lists(st.tuples(st.integers(1, 60), st.integers(1, 30)), max_size=20)


def mask_by_loop(runs: list[tuple[int, int]], height: int, width: int) -> np.ndarray:
    mask = np.zeros((height, width), np.uint8)
    for start, length in runs:
        for pixel in range(start - 1, start - 1 + length):
            mask[pixel % height, pixel // height] = 1
    return mask


@given(masks)
def test_mask_to_runs_and_back_is_the_same_mask(mask: np.ndarray) -> None:
    assert np.array_equal(runs_to_mask(mask_to_runs(mask), *mask.shape), mask)


@given(masks.filter(np.any))
def test_packed_runs_and_text_hold_the_same_numbers(mask: np.ndarray) -> None:
    runs = mask_to_runs(mask)
    assert format_runs(runs).split() == [str(number) for run in runs.tolist() for number in run]
    assert np.array_equal(unpack_runs(pack_runs(runs)), runs)


@given(masks)
def test_runs_of_a_mask_do_not_touch_each_other(mask: np.ndarray) -> None:
    runs = mask_to_runs(mask)
    assert (runs[1:, 0] > runs[:-1].sum(axis=1)).all()


@given(run_lists)
def test_mask_is_that_of_a_plain_loop_for_overlapping_runs_in_any_order(runs: list[tuple[int, int]]) -> None:
    array = np.array(runs, np.int64).reshape(-1, 2)
    assert np.array_equal(runs_to_mask(array, 9, 10), mask_by_loop(runs, 9, 10))


def test_first_pixel_is_one_and_pixels_go_down_the_columns() -> None:
    assert runs_to_mask(np.array([[1, 1], [4, 2]]), 3, 2).tolist() == [[1, 1], [0, 1], [0, 0]]


def test_pixels_go_along_the_rows_if_they_are_numbered_so() -> None:
    assert runs_to_mask(np.array([[1, 1], [4, 2]]), 3, 2, by_rows=True).tolist() == [[1, 0], [0, 1], [1, 0]]


@given(run_lists)
def test_runs_along_the_rows_are_those_down_the_columns_of_the_transposed_image(runs: list[tuple[int, int]]) -> None:
    array = np.array(runs, np.int64).reshape(-1, 2)
    assert np.array_equal(runs_to_mask(array, 9, 10, by_rows=True), mask_by_loop(runs, 10, 9).T)


@given(run_lists)
def test_overlaps_are_pixels_of_several_runs(runs: list[tuple[int, int]]) -> None:
    pixels = [pixel for start, length in runs for pixel in range(start, start + length)]
    assert have_overlaps(np.array(runs, np.int64).reshape(-1, 2)) == (len(set(pixels)) < len(pixels))


def test_work_is_bounded_by_the_image_when_every_run_covers_it() -> None:
    runs = np.tile([[1, 1000]], (100_000, 1))
    assert np.diff(covered_intervals(runs)).sum() == 1000


def test_a_mask_that_cannot_be_packed_small_is_refused() -> None:
    runs = np.random.default_rng(1).integers(1, 2**31 - 1, (200_000, 2))
    with pytest.raises(DataError, match=f"200000 runs, .* the limit is {MAX_ELEMENT_BYTES}") as caught:
        pack_runs(runs)
    assert caught.value.code is Code.RLE_TOO_LONG
    assert len(pack_runs(runs[:100_000])) <= MAX_ELEMENT_BYTES


@pytest.mark.parametrize(
    ("runs", "fits"), [([[12, 1]], True), ([[1, 12]], True), ([[12, 2]], False), ([[13, 1]], False)]
)
def test_a_run_must_end_inside_its_own_image(runs: list[list[int]], fits: bool) -> None:
    if fits:
        runs_to_mask(np.array(runs), 3, 4)
        return
    with pytest.raises(DataError, match="past the image's 12 ") as caught:
        runs_to_mask(np.array(runs), 3, 4)
    assert caught.value.code is Code.RLE_OUT_OF_BOUNDS
