"""The files that a dataset lists, beside those that are there."""

from __future__ import annotations

import pytest

from maskmill.completeness import check_sizes, find_strays

SHARD = "train_input/data-0_p0.h5"
LISTED = {"data_params.json": 7, SHARD: 1234}


@pytest.mark.parametrize(
    ("found", "problems"),
    [
        (LISTED, []),
        ({**LISTED, SHARD: 1_000_000}, [f"{SHARD}: has 1,000,000 bytes instead of 1,234"]),
        ({"data_params.json": 7}, [f"{SHARD}: is missing"]),
        ({}, ["data_params.json: is missing", f"{SHARD}: is missing"]),
        ({**LISTED, "train_input/data-1_p0.h5": 1}, ["train_input/data-1_p0.h5"]),
        ({**LISTED, "eval_input/data-0_p0.h5": 1}, ["eval_input/data-0_p0.h5"]),
        ({**LISTED, "manifest.json.0f.attempt": 1}, ["manifest.json.0f.attempt"]),
        ({**LISTED, "train_input/x.attempt": 1}, ["train_input/x.attempt"]),
        # of somebody else
        ({**LISTED, "train_input/other-0_p0.h5": 1}, []),
        ({**LISTED, "train_input/notes.txt": 1}, []),
        ({**LISTED, "data-9_p0.h5": 1}, []),
        ({**LISTED, "notes.txt": 1}, []),
    ],
)
def test_files_that_are_missing_of_another_size_or_too_many_are_named(
    found: dict[str, int], problems: list[str]
) -> None:
    strays = [
        one if ": " in one else f"{one}: is not of this dataset; manifest.json does not list it" for one in problems
    ]
    assert list(check_sizes(LISTED, found, "manifest.json")) == strays


def test_a_size_that_nothing_says_is_not_compared() -> None:
    assert list(check_sizes({SHARD: None}, {SHARD: 5}, "meta_*.dat")) == []
    assert list(check_sizes({SHARD: None}, {}, "meta_*.dat")) == [f"{SHARD}: is missing"]


def test_strays_come_in_order() -> None:
    present = ["b/data-2_p0.h5", "a/data-1_p0.h5", "a/data-0_p0.h5", "a/other-0_p0.h5", "b/x.attempt"]
    assert list(find_strays(present, {"a/data-0_p0.h5"})) == ["a/data-1_p0.h5", "b/data-2_p0.h5", "b/x.attempt"]
    assert list(find_strays(present, set())) == ["b/x.attempt"]
