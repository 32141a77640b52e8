"""The records of shards: as JSON, and in pieces for a shuffle."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskmill.transforms.shards import records
from maskmill.transforms.shards.records import (
    ExampleVersion,
    RejectedExample,
    ShardKey,
    ShardSummary,
    StoredShard,
    cut_summary,
    join_summaries,
    pack_examples,
    unpack_examples,
)

STORED = StoredShard(examples=1, bytes=2, sha256="a", fingerprint="b")
REJECTED = {
    2: RejectedExample(row=None, code="IMAGE_EMPTY", message="empty"),
    5: RejectedExample(row=1, code="RLE_OUT_OF_BOUNDS", message="past"),
}


def test_a_record_has_the_same_bytes_for_ever() -> None:
    assert json.dumps(STORED.to_json()) == '{"examples": 1, "bytes": 2, "sha256": "a", "fingerprint": "b"}'
    full = STORED._replace(rejected=REJECTED, overlaps=(3, 40))
    assert json.dumps(full.to_json()) == (
        '{"examples": 1, "bytes": 2, "sha256": "a", "fingerprint": "b", '
        '"rejected": [[2, null, "IMAGE_EMPTY", "empty"], [5, 1, "RLE_OUT_OF_BOUNDS", "past"]], "overlaps": [3, 40]}'
    )


@pytest.mark.parametrize(
    "stored",
    [
        STORED,
        STORED._replace(rejected=REJECTED, overlaps=(3, 40)),
        STORED._replace(pixel_sums=(0,) * 6, areas=(0,), valid_pixels=7),
        STORED._replace(pixel_sums=(1, 2, 3, 4, 5, 6), areas=(0,)),
    ],
)
def test_a_record_survives_being_written_and_read(stored: StoredShard) -> None:
    plain = json.loads(json.dumps(stored.to_json()))
    assert StoredShard.from_json(plain) == stored
    assert StoredShard.from_json({**plain, "path": "a key of the manifest"}) == stored


@pytest.mark.parametrize(
    "plain", [{}, {"examples": 1}, {**STORED.to_json(), "rejected": [[1, 2]]}, {**STORED.to_json(), "overlaps": [1]}]
)
def test_other_data_is_no_record(plain: dict) -> None:
    with pytest.raises((ValueError, TypeError, KeyError)):
        StoredShard.from_json(plain)


def test_a_shard_has_its_path_and_its_range() -> None:
    summary = ShardSummary("eval_input", 7, "data-3_p2.h5", 1, 0, {}, STORED)
    assert (summary.path, summary.range) == ("eval_input/data-3_p2.h5", 2)
    assert ShardKey("eval_input", 7, "data-3_p2.h5").path == summary.path


def summary_of(split: str, number: int, rejected: int, examples: int) -> ShardSummary:
    why = {2 * index: RejectedExample(row=index, code="CODE", message="m") for index in range(rejected)}
    listed = pack_examples(f"{split}/data-{number}_p0.h5", [ExampleVersion(f"{i}", "", "") for i in range(examples)])
    stored = STORED._replace(rejected=why)
    return ShardSummary(split, number, f"data-{number}_p0.h5", 9, 1, {3: 4}, stored, examples=listed)


@given(
    st.dictionaries(
        st.tuples(st.sampled_from(["a", "b"]), st.integers(0, 3)), st.tuples(st.integers(0, 12), st.integers(0, 12))
    ),
    st.randoms(use_true_random=False),
)
def test_pieces_in_any_order_are_joined_to_the_summaries(shards: dict, random: object) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(records, "PER_PIECE", 3)
        summaries = [summary_of(split, number, *counts) for (split, number), counts in sorted(shards.items())]
        pieces = [piece for summary in summaries for piece in cut_summary(summary)]
    assert all(len(piece.stored.rejected) <= 3 for piece in pieces)
    random.shuffle(pieces)
    joined = join_summaries(pieces)
    assert [one._replace(examples=()) for one in joined] == [one._replace(examples=()) for one in summaries]
    for one, (_, examples) in zip(joined, (counts for _, counts in sorted(shards.items())), strict=True):
        assert [(listed.image_id, listed.example) for listed in unpack_examples(one)] == [
            (f"{i}", i) for i in range(examples)
        ]
    assert all(number <= 3 for piece in pieces for number, _ in piece.examples)
    assert all(len(piece.examples) <= 1 for piece in pieces)
    assert [list(one.stored.rejected) for one in joined] == [list(one.stored.rejected) for one in summaries]
