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
RUN = {
    "started": "2026-01-31T23:59:59.500+00:00",
    "finished": "2026-02-01T00:00:01.000+00:00",
    "shards": WRITTEN,
    "reasons": {"train_input": {"image changed": 1}, "eval_input": {"new": 1}},
    "changes": {"added": 1, "removed": 0, "moved": [], "image": 1, "mask": 0},
}
NO_REASONS: dict[str, dict[str, int]] = {"train_input": {}, "eval_input": {}}
KEPT = {"train_input": {"written": 0, "kept": 2, "reused": 0}, "eval_input": {"written": 0, "kept": 1, "reused": 0}}


@pytest.mark.parametrize(("run", "shards"), [(RUN, WRITTEN), (None, KEPT)])
def test_a_result_is_that_of_manifest_and_history(run: dict[str, Any] | None, shards: dict[str, Any]) -> None:
    result = result_of(MANIFEST, run, "out")
    reasons = run["reasons"] if run else NO_REASONS
    assert result == Result(
        path="out",
        published=run is not None,
        rows=Rows(**ROWS),
        splits={
            "train_input": Split(
                examples=5,
                classes={"3": 4},
                negatives=1,
                bytes=100,
                shards=shards["train_input"],
                reasons=reasons["train_input"],
                overlaps=OVERLAPS,
            ),
            "eval_input": Split(
                examples=0,
                classes={},
                negatives=0,
                bytes=7,
                shards=shards["eval_input"],
                reasons=reasons["eval_input"],
                overlaps=OVERLAPS,
            ),
        },
        rejected={"IMAGE_EMPTY": 2},
        shared_images=1,
        changes=run["changes"] if run else None,
        seconds=1.5 if run else 0.0,
    )
    assert result.numbers() == {
        "rows": 9,
        "examples": {"train_input": 5, "eval_input": 0},
        "bytes": {"train_input": 100, "eval_input": 7},
        "shards": shards,
        "reasons": reasons,
        "changes": run["changes"] if run else None,
        "rejected": {"IMAGE_EMPTY": 2},
    }
