"""Tests of what spreadsheets do to masks."""

from __future__ import annotations

import pytest

from maskmill.transforms.annotations.spreadsheets import SHORTEST_CUT, check_not_cut_off, explain_number
from maskmill.transforms.rejected import Code, DataError


def text_of(length: int) -> str:
    return ("1 2 " * length)[:length]


@pytest.mark.parametrize(
    "field",
    [
        text_of(32_767),
        f"  {text_of(32_767)}",
        f"{text_of(32_765)}1 ",
        f" {text_of(32_765)}1 ",
        f"{text_of(32_765)}12  ",
        f"{text_of(65_535)}",
    ],
    ids=len,
)
def test_a_mask_as_long_as_a_cell_is_taken_for_cut_off(field: str) -> None:
    assert len(field) >= SHORTEST_CUT
    with pytest.raises(DataError, match="write its first number with a leading 0") as caught:
        check_not_cut_off(field)
    assert caught.value.code is Code.RLE_CUT_OFF


@pytest.mark.parametrize("length", [1, 255, 32_765, 32_769, 65_533, 65_537, 10**6])
def test_masks_of_other_lengths_are_not(length: int) -> None:
    check_not_cut_off(text_of(length))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1.00E+05 2", "has rounded a number"),
        ("1,5e+10 2", "has rounded a number"),
        ("1 2 1E5", "has rounded a number"),
        ("#### 2", "a column that was too narrow"),
        ("2001-02-03", "made a date"),
        ("1/2/2001", "made a date"),
        ("01.02.2001", "made a date"),
        ("2-Jan", "made a date"),
        ("Jan-02", "made a date"),
        ("1,234 5", "separators between thousands"),
        ("1.234.567 5", "separators between thousands"),
        ("29102.0 12.0", "saved with decimals"),
        ("x", ""),
        ("1,2,5,6", ""),
        ("-4 2", ""),
        ("1 2", ""),
        ("1e", ""),
    ],
)
def test_what_became_of_a_number_is_named(text: str, words: str) -> None:
    found = explain_number(text)
    assert words in found
    assert bool(words) == bool(found)
