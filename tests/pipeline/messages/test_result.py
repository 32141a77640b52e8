"""What a run did, in numbers."""

from __future__ import annotations

from typing import Any

import pytest

from maskmill.pipeline.messages.result import Result, Rows, Split, result_of

OVERLAPS = {"examples": 0, "pixels": 0, "rule": "the classes are united"}
ROWS = {"read": 9, "in_examples": 5, "filtered": {"in no split": 2}, "rejected": 2, "merged": 0, "classes": {"3": 9}}
MANIFEST: dict[str, Any] = {
    "rows": ROWS,
    "splits": {
        "train_input": {
            "examples": 5,
            "bytes": 100,
            "classes": {"3": 4},
            "negatives": 1,
            "overlaps": OVERLAPS,
            "shards": [{}, {}],
        },
        "eval_input": {"examples": 0, "bytes": 7, "overlaps": OVERLAPS, "shards": [{}]},  # of an earlier maskmill
    },
    "rejected": {"IMAGE_EMPTY": 2},
    "shared_images": 1,
}
WRITTEN = {
    "train_input": {"written": 1, "kept": 0, "reused": 1},
    "eval_input": {"written": 1, "kept": 0, "reused": 0},
}
KEPT = {"train_input": {"written": 0, "kept": 2, "reused": 0}, "eval_input": {"written": 0, "kept": 1, "reused": 0}}


@pytest.mark.parametrize(("run", "shards"), [({"shards": WRITTEN}, WRITTEN), (None, KEPT)])
def test_a_result_is_that_of_manifest_and_history(run: dict[str, Any] | None, shards: dict[str, Any]) -> None:
    result = result_of(MANIFEST, run, "out")
    assert result == Result(
        path="out",
        published=run is not None,
        rows=Rows(**ROWS),
        splits={
            "train_input": Split(
                examples=5, classes={"3": 4}, negatives=1, bytes=100, shards=shards["train_input"], overlaps=OVERLAPS
            ),
            "eval_input": Split(
                examples=0, classes={}, negatives=0, bytes=7, shards=shards["eval_input"], overlaps=OVERLAPS
            ),
        },
        rejected={"IMAGE_EMPTY": 2},
        shared_images=1,
    )
    assert result.numbers() == {
        "rows": 9,
        "examples": {"train_input": 5, "eval_input": 0},
        "bytes": {"train_input": 100, "eval_input": 7},
        "shards": shards,
        "rejected": {"IMAGE_EMPTY": 2},
    }
