"""The numbers of a run come from the manifest and the history."""

from __future__ import annotations

from maskmill.pipeline.messages.run_numbers import RunNumbers, numbers_of

MANIFEST = {
    "rows": {"read": 9},
    "splits": {
        "train_input": {"examples": 5, "bytes": 500, "shards": [{}, {}]},
        "eval_input": {"examples": 2, "bytes": 200, "shards": [{}]},
    },
    "rejected": {"IMAGE_EMPTY": 1},
}


def test_a_run_says_what_it_did_with_the_shards() -> None:
    states = {
        "train_input": {"written": 1, "kept": 1, "reused": 0},
        "eval_input": {"written": 0, "kept": 0, "reused": 1},
    }
    assert numbers_of(MANIFEST, {"shards": states}) == RunNumbers(
        rows=9,
        examples={"train_input": 5, "eval_input": 2},
        bytes={"train_input": 500, "eval_input": 200},
        shards=states,
        rejected={"IMAGE_EMPTY": 1},
    )


def test_a_run_with_nothing_to_do_kept_every_shard() -> None:
    assert numbers_of(MANIFEST, None).shards == {
        "train_input": {"written": 0, "kept": 2, "reused": 0},
        "eval_input": {"written": 0, "kept": 1, "reused": 0},
    }
