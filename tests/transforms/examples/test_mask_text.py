"""Texts of masks become runs, whatever the convention."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from maskmill.transforms.examples.mask_text import RunFormat, parse_runs
from maskmill.transforms.examples.rle import runs_to_mask
from maskmill.transforms.rejected import Code, DataError
from tests.support.mask_texts import CONVENTIONS, write_mask

masks = hnp.arrays(np.bool_, hnp.array_shapes(min_dims=2, max_dims=2, max_side=9), elements=st.booleans())


@pytest.mark.parametrize("convention", CONVENTIONS, ids=str)
@given(mask=masks)
def test_a_mask_is_read_as_it_was_written_in_every_convention(mask: np.ndarray, convention: dict[str, Any]) -> None:
    form = {name: value for name, value in convention.items() if name != "order"}
    runs = parse_runs(write_mask(mask, **convention), RunFormat(**form))
    assert np.array_equal(runs_to_mask(runs, *mask.shape, by_rows=convention["order"] == "rows"), mask)


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
        ("1\xa02", Code.RLE_NOT_NUMBERS, "something other than blanks"),
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


def test_a_bad_word_is_found_without_a_list_of_all_words() -> None:
    text = "x " + "1 1 " * 2**20
    tracemalloc.start()
    with pytest.raises(DataError, match="word 1 is 'x'"):
        parse_runs(text)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * len(text)


@pytest.mark.parametrize(
    ("text", "form", "runs"),
    [
        ("100 2 14 2 14 2", {"encoding": "relative"}, [[100, 2], [116, 2], [132, 2]]),
        ("100 2 14 2 14 2", {"encoding": "relative", "first": 0}, [[101, 2], [117, 2], [133, 2]]),
        ("0 2 0 2", {"encoding": "relative", "first": 0}, [[1, 2], [3, 2]]),
        ("1 2 0 2", {"encoding": "relative"}, [[1, 2], [3, 2]]),
        ("0 2 5 3", {"first": 0}, [[1, 2], [6, 3]]),
        ("5 3 2 0 4 1", {"encoding": "counts"}, [[6, 3], [15, 1]]),
        ("0 3", {"encoding": "counts"}, [[1, 3]]),
        ("0 3 2", {"encoding": "counts", "first": 0}, [[1, 3]]),
        ("384", {"encoding": "counts"}, []),
        ("1,2, 5 ,6", {"separator": "comma"}, [[1, 2], [5, 6]]),
        ("[1, 2, 5, 6]", {"separator": "comma"}, [[1, 2], [5, 6]]),
        ("[]", {"separator": "comma"}, []),
        ("[1 2 5 6]", {}, [[1, 2], [5, 6]]),
        ("-1", {"separator": "comma", "encoding": "counts"}, []),
        ("100 2 14 2 14 2", {"any_order": True}, [[100, 2], [14, 2], [14, 2]]),
        ("5 3 5 3 6 1", {}, [[5, 3], [5, 3], [6, 1]]),
    ],
)
def test_the_convention_decides_what_the_numbers_are(text: str, form: dict[str, Any], runs: list[list[int]]) -> None:
    assert parse_runs(text, RunFormat(**form)).tolist() == runs


@pytest.mark.parametrize(
    ("text", "form", "code", "words"),
    [
        ("100 2 14 2", {}, Code.RLE_NOT_ASCENDING, "run 2 starts at pixel 14, before run 1, which starts at pixel 100"),
        ("1 2 9 2 8 2", {}, Code.RLE_NOT_ASCENDING, "set maskmill.runs.encoding: relative"),
        ("9 2 8 2", {"first": 0}, Code.RLE_NOT_ASCENDING, "maskmill.runs.unsorted: accept"),
        ("0 5", {}, Code.RLE_BAD_START, "set maskmill.runs.first: 0"),
        ("0 5 0 5", {"encoding": "relative"}, Code.RLE_BAD_START, "run 1 starts at pixel 0"),
        ("3 4 -5 1", {"encoding": "relative"}, Code.RLE_BAD_START, "run 2 has the start -5; the least is 0"),
        ("-1 4", {"first": 0}, Code.RLE_BAD_START, "run 1 has the start -1; the least is 0"),
        ("1 2 0 0", {"encoding": "relative"}, Code.RLE_BAD_LENGTH, "run 2 has the length 0"),
        ("7 1 2", {"encoding": "relative"}, Code.RLE_ODD_COUNT, "3 numbers"),
        ("7 1 2", {}, Code.RLE_ODD_COUNT, "maskmill.runs.encoding: counts"),
        ("5 -3", {"encoding": "counts"}, Code.RLE_BAD_LENGTH, "count 2 is -3; the least is 0"),
        (f"5 {2**31}", {"encoding": "counts"}, Code.RLE_OUT_OF_BOUNDS, "count 2 has a number above"),
        (f"{2**31 - 2} 1 9 1", {"encoding": "counts"}, Code.RLE_OUT_OF_BOUNDS, "add up to 2147483657, past any image"),
        (f"1 1 {2**31 - 2} 1", {"encoding": "relative"}, Code.RLE_OUT_OF_BOUNDS, "add up to 2147483648"),
        (f"0 1 {2**31 - 1} 1", {"first": 0}, Code.RLE_OUT_OF_BOUNDS, "run 2 (2147483647 1) has a number above"),
        ("1,2,5,6", {}, Code.RLE_NOT_NUMBERS, "set maskmill.runs.separator: comma"),
        ("1 2 5 6", {"separator": "comma"}, Code.RLE_NOT_NUMBERS, "set maskmill.runs.separator: blank"),
        ("1,,2", {"separator": "comma"}, Code.RLE_NOT_NUMBERS, "2 numbers and 2 commas"),
        ("1,2,", {"separator": "comma"}, Code.RLE_NOT_NUMBERS, "2 numbers and 2 commas"),
        ("1;2", {"separator": "comma"}, Code.RLE_NOT_NUMBERS, "whole numbers separated by commas"),
        ("[1, 2", {"separator": "comma"}, Code.RLE_NOT_NUMBERS, "word 1 is '[1'"),
    ],
)
def test_text_of_another_convention_is_refused(text: str, form: dict[str, Any], code: Code, words: str) -> None:
    with pytest.raises(DataError) as caught:
        parse_runs(text, RunFormat(**form))
    assert caught.value.code is code
    assert words in caught.value.message
