"""What the files beside the shards say, compared with each other."""

from __future__ import annotations

from typing import Any

import pytest

from maskmill.example_list import ListedExample, write_example_list
from maskmill.pipeline.verify.check_metadata import check_example_list, check_meta, check_written


def written(ranges: Any, *, n_docs: int = 6, total_written: int = 5) -> list[str]:
    """What is wrong with an entry for 5 examples in 6 positions."""
    entry = {"n_docs": n_docs, "total_written": total_written, "dataset_range": ranges}
    return list(check_written({"train_input_hdf": entry}, "train_input", 5, 6))


@pytest.mark.parametrize(
    "ranges",
    [
        {"0": [0, 5]},
        {"0": [0, 2], "1": [3, 5]},
        {"0": [0, 0], "1": [], "2": [1, 5]},
        {"0": [], "1": [0, 5], "2": []},
        {str(index): [index, index] if index < 6 else [] for index in range(12)},
    ],
)
def test_consecutive_ranges_are_right(ranges: dict[str, list[int]]) -> None:
    assert written(ranges) == []


@pytest.mark.parametrize(
    "ranges",
    [
        {},
        {"0": [0, 4]},
        {"0": [0, 6]},
        {"0": [1, 5]},
        {"0": [0, 2], "1": [4, 5]},
        {"0": [0, 3], "1": [3, 5]},
        {"0": [0, 2, 9], "1": [3, 5]},
        {"0": [0, 5], "1": [6, 5]},
        {"0": [3, 5], "1": [0, 2]},
        {"1": [0, 5]},
        {"0": [0, 5], "x": []},
    ],
)
def test_other_ranges_are_named(ranges: dict[str, list[int]]) -> None:
    assert written(ranges) == [
        "data_params.json: train_input_hdf.dataset_range does not cut 6 positions into consecutive ranges"
    ]


def test_counts_are_compared_with_the_shards() -> None:
    assert written({"0": [0, 5]}, n_docs=5, total_written=6) == [
        "data_params.json: train_input_hdf.total_written is 6, and the shards have 5 examples",
        "data_params.json: train_input_hdf.n_docs is 5, and the split has 6 positions",
    ]


@pytest.mark.parametrize("folder", ["out", ".", "gs://bucket/out", "/a b/ü", "with\na line end"])
def test_a_list_may_name_any_folder(folder: str) -> None:
    shards = [{"file": f"train_input/x-{number}_p0.h5", "examples": 10 - number} for number in range(11)]
    text = "".join(f"{folder}/{shard['file']} {shard['examples']}\n" for shard in shards)
    assert list(check_meta(text.encode(), "train_input", shards)) == []
    assert list(check_meta(text[:-1].encode(), "train_input", shards)) != []


LISTED = [ListedExample("a", "train_input/x", 0, "", ""), ListedExample("b", "train_input/x", 1, "", "")]
OTHER = "examples.csv: does not list the examples of the shards, in order"


@pytest.mark.parametrize(
    ("examples", "problems"),
    [
        (LISTED, []),
        (LISTED[:1], [OTHER]),
        (LISTED[::-1], [OTHER]),
        ([*LISTED, LISTED[0]], [OTHER]),
        ([LISTED[0], LISTED[1]._replace(shard="train_input/y")], [OTHER]),
    ],
)
def test_the_list_of_examples_is_that_of_the_shards(examples: list[ListedExample], problems: list[str]) -> None:
    shards = [{"file": "train_input/x", "examples": 2}, {"file": "eval_input/x", "examples": 0}]
    assert list(check_example_list(write_example_list(examples), shards)) == problems


def test_another_file_in_place_of_the_list_is_a_problem() -> None:
    [problem] = check_example_list(b"nonsense", [])
    assert problem.startswith("examples.csv: is no list of examples (")
