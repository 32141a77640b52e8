"""Runs become masks, and masks runs."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from maskmill.transforms.examples.rle import (
    covered_intervals,
    format_runs,
    mask_to_runs,
    pack_runs,
    parse_runs,
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
def test_runs_to_text_and_back_are_the_same_runs(mask: np.ndarray) -> None:
    runs = mask_to_runs(mask)
    assert np.array_equal(parse_runs(format_runs(runs)), runs)
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
    assert runs_to_mask(parse_runs("1 1 4 2"), 3, 2).tolist() == [[1, 1], [0, 1], [0, 0]]


def test_work_is_bounded_by_the_image_when_every_run_covers_it() -> None:
    runs = np.tile([[1, 1000]], (100_000, 1))
    assert np.diff(covered_intervals(runs)).sum() == 1000


@pytest.mark.parametrize("text", ["-1", " -1 "])
def test_minus_one_is_an_empty_mask(text: str) -> None:
    assert parse_runs(text).shape == (0, 2)


@pytest.mark.parametrize("text", ["1 2 10 3", " 1 2  10 3 ", "1\t2 10 3", "+1 2 10 3".replace("+", "")])
def test_blanks_and_tabs_separate_numbers(text: str) -> None:
    assert parse_runs(text).tolist() == [[1, 2], [10, 3]]


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("1 2 3", Code.RLE_ODD_COUNT, "3 numbers"),
        ("7", Code.RLE_ODD_COUNT, "1 numbers"),
        ("0 5", Code.RLE_BAD_START, "starts at pixel 0"),
        ("1 2 -5 3", Code.RLE_BAD_START, "run 2 has the start -5"),
        ("-1 2", Code.RLE_BAD_START, "run 1 has the start -1"),
        ("5 0", Code.RLE_BAD_LENGTH, "run 1 has the length 0"),
        ("5 -2", Code.RLE_BAD_LENGTH, "run 1 has the length -2"),
        ("1 2 x 4", Code.RLE_NOT_NUMBERS, "word 3 is 'x'"),
        ("1.5 2", Code.RLE_NOT_NUMBERS, "word 1 is '1.5'"),
        ("0x10 2", Code.RLE_NOT_NUMBERS, "'0x10'"),
        ("1e3 2", Code.RLE_NOT_NUMBERS, "'1e3'"),
        ("1,2", Code.RLE_NOT_NUMBERS, "'1,2'"),
        ("٣ ٤", Code.RLE_NOT_NUMBERS, "word 1"),
        ("1\xa02", Code.RLE_NOT_NUMBERS, "something other than spaces"),
        ("--1 2", Code.RLE_NOT_NUMBERS, "'--1'"),
        (f"1 {'9' * 30}", Code.RLE_OUT_OF_BOUNDS, "past any image"),
        (f"{2**64 + 1} 3", Code.RLE_OUT_OF_BOUNDS, "past any image"),
        ("2147483647 1", Code.RLE_OUT_OF_BOUNDS, "past any image"),
    ],
)
def test_bad_text_is_refused_with_its_reason(text: str, code: Code, words: str) -> None:
    with pytest.raises(DataError) as caught:
        parse_runs(text)
    assert caught.value.code is code
    assert words in caught.value.message


def test_a_mask_that_cannot_be_packed_small_is_refused() -> None:
    runs = np.random.default_rng(1).integers(1, 2**31 - 1, (200_000, 2))
    with pytest.raises(DataError, match=f"200000 runs, .* the limit is {MAX_ELEMENT_BYTES}") as caught:
        pack_runs(runs)
    assert caught.value.code is Code.RLE_TOO_LONG
    assert len(pack_runs(runs[:100_000])) <= MAX_ELEMENT_BYTES


def test_a_bad_word_is_found_without_a_list_of_all_words() -> None:
    text = "x " + "1 1 " * 2**20
    tracemalloc.start()
    with pytest.raises(DataError, match="word 1 is 'x'"):
        parse_runs(text)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * len(text)


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
