"""What a run did, in numbers."""

from __future__ import annotations

from typing import Any

import pytest

from maskmill.pipeline.messages.run_numbers import RunNumbers, numbers_of

MANIFEST: dict[str, Any] = {
    "rows": {"read": 9},
    "splits": {
        "train_input": {"examples": 5, "bytes": 100, "shards": [{}, {}]},
        "eval_input": {"examples": 0, "bytes": 7, "shards": [{}]},
    },
    "rejected": {"IMAGE_EMPTY": 2},
}
WRITTEN = {
    "train_input": {"written": 1, "kept": 0, "reused": 1},
    "eval_input": {"written": 1, "kept": 0, "reused": 0},
}
KEPT = {"train_input": {"written": 0, "kept": 2, "reused": 0}, "eval_input": {"written": 0, "kept": 1, "reused": 0}}


@pytest.mark.parametrize(("run", "shards"), [({"shards": WRITTEN}, WRITTEN), (None, KEPT)])
def test_numbers_are_those_of_manifest_and_history(run: dict[str, Any] | None, shards: dict[str, Any]) -> None:
    assert numbers_of(MANIFEST, run) == RunNumbers(
        rows=9,
        examples={"train_input": 5, "eval_input": 0},
        bytes={"train_input": 100, "eval_input": 7},
        shards=shards,
        rejected={"IMAGE_EMPTY": 2},
    )
