"""A dataset in the words of MLCommons Croissant, without the library that reads them."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from maskmill.pipeline.dataset.croissant import all_files, croissant, listed_files
from maskmill.transforms.shards.check_shard import ArrayForm

STATISTICS = {"mean": 78.5, "std": 27.25, "pixel_share": {"3": 0.25, "4": 0.0}, "pos_weight": {"3": 3.0, "4": None}}
SPLITS: dict[str, dict[str, Any]] = {
    "train_input": {
        "examples": 5,
        "negatives": 1,
        "classes": {"3": 4, "4": 0},
        "statistics": STATISTICS,
        "shards": [
            {"file": "train_input/data-0_p0.h5", "bytes": 300, "sha256": "a1"},
            {"file": "train_input/data-1_p0.h5", "bytes": 200, "sha256": "b2"},
        ],
    },
    "eval_input": {"examples": 0, "negatives": 0, "classes": {"3": 0, "4": 0}, "statistics": None, "shards": []},
}
FILES = {"examples.csv": {"bytes": 10, "sha256": "cc"}, "rejected.jsonl": {"bytes": 0, "sha256": "dd"}}
FORMS = {
    "image": ArrayForm(np.dtype("u1"), (1, 16, 24)),
    "label": ArrayForm(np.dtype("<f4"), (3, 16, 24)),
}


def describe(splits: dict[str, dict[str, Any]] = SPLITS, **more: Any) -> dict[str, Any]:
    """The description of a dataset, as JSON gives it back."""
    content = croissant(splits, FILES, dict.fromkeys(splits, FORMS), **{"name": "data", **more})
    return dict(json.loads(json.dumps(content, allow_nan=False)))


def record_set(content: dict[str, Any], name: str) -> dict[str, Any]:
    return next(one for one in content["recordSet"] if one["@id"] == name)


def rows(content: dict[str, Any], name: str) -> list[tuple[object, ...]]:
    """The records of a table, whose keys have to be its fields."""
    table = record_set(content, name)
    names = [field["@id"] for field in table["field"]]
    assert all(list(record) == names for record in table["data"])
    return [tuple(record.values()) for record in table["data"]]


def test_every_file_is_listed_with_its_size_and_sum() -> None:
    listed = describe()["distribution"]
    assert [(one["@id"], one["contentUrl"], one["contentSize"], one["sha256"]) for one in listed] == [
        ("examples.csv", "examples.csv", "10 B", "cc"),
        ("rejected.jsonl", "rejected.jsonl", "0 B", "dd"),
        ("train_input/data-0_p0.h5", "train_input/data-0_p0.h5", "300 B", "a1"),
        ("train_input/data-1_p0.h5", "train_input/data-1_p0.h5", "200 B", "b2"),
    ]
    encodings = ["text/csv", "application/jsonlines", "application/x-hdf5", "application/x-hdf5"]
    assert [one["encodingFormat"] for one in listed] == encodings
    assert listed_files(describe()) == list(all_files(SPLITS, FILES))


def test_urls_of_files_are_quoted() -> None:
    shard = {"file": "train_input/é #1-0_p0.h5", "bytes": 1, "sha256": "a1"}
    content = describe({"train_input": {**SPLITS["train_input"], "shards": [shard]}})
    assert content["distribution"][-1]["contentUrl"] == "train_input/%C3%A9%20%231-0_p0.h5"
    assert listed_files(content)[-1] == (shard["file"], 1, "a1")


def test_splits_have_their_use_and_their_statistics() -> None:
    content = describe({**SPLITS, "fold_0_input": SPLITS["eval_input"]})
    assert record_set(content, "splits")["dataType"] == "cr:Split"
    assert rows(content, "splits") == [
        ("train_input", "cr:TrainingSplit", 5, 1, 78.5, 27.25),
        ("eval_input", "cr:ValidationSplit", 0, 0, None, None),
        ("fold_0_input", None, 0, 0, None, None),
    ]
    assert rows(content, "pixels") == [("train_input", "3", 0.25, 3.0), ("train_input", "4", 0.0, None)]
    assert rows(content, "classes")[:2] == [("train_input", "3", 4), ("train_input", "4", 0)]


def test_arrays_have_their_place_type_and_shape() -> None:
    assert rows(describe(), "arrays")[:2] == [
        ("train_input", "image", "example_<index>/image", "uint8", "1,16,24"),
        ("train_input", "label", "example_<index>/label", "float32", "3,16,24"),
    ]


def test_tables_without_rows_are_left_out() -> None:
    empty = {"eval_input": {**SPLITS["eval_input"], "classes": {}}}
    assert [one["@id"] for one in describe(empty)["recordSet"]] == ["splits", "examples", "arrays"]


def test_all_identifiers_are_different_and_all_sources_are_there() -> None:
    content = describe()
    fields = [field for one in content["recordSet"] for field in one["field"]]
    identifiers = [one["@id"] for one in (*content["distribution"], *content["recordSet"], *fields)]
    assert len(set(identifiers)) == len(identifiers)
    sources = [field["source"]["fileObject"]["@id"] for field in fields if "source" in field]
    assert set(sources) == {"examples.csv"}


@pytest.mark.parametrize("licence", ["CC-BY-4.0", "https://example.org/licence"])
def test_a_licence_is_repeated(licence: str) -> None:
    assert describe(licence=licence)["license"] == licence
    assert "license" not in describe()


def test_images_with_colours_have_a_mean_for_each_channel() -> None:
    assert "channels" not in [one["@id"] for one in describe()["recordSet"]]
    coloured = {**STATISTICS, "mean": [70.5, 80.25, 90.0], "std": [1.5, 2.5, 3.5]}
    content = describe({**SPLITS, "train_input": {**SPLITS["train_input"], "statistics": coloured}})
    assert [row[-2:] for row in rows(content, "splits")] == [(None, None), (None, None)]
    assert rows(content, "channels") == [
        ("train_input", "red", 70.5, 1.5),
        ("train_input", "green", 80.25, 2.5),
        ("train_input", "blue", 90.0, 3.5),
    ]
