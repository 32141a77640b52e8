"""Positions: in which shard an example lies, and where there."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskmill.catalog import Shard
from maskmill.names import ShardName
from maskmill.positions import places_of
from maskmill.transforms.assignment.shard_layout import ShardLayout


def shard(number: int, examples: int, range_: int = 0, split: str = "train_input") -> Shard:
    return Shard(f"{split}/{ShardName('data', number, range_)}", examples, None)


@pytest.mark.parametrize(
    ("shards", "places"),
    [
        ([], []),
        ([shard(0, 0)], []),
        ([shard(0, 3)], [[0, 0], [0, 1], [0, 2]]),
        ([shard(0, 2), shard(1, 2)], [[0, 0], [1, 0], [0, 1], [1, 1]]),
        ([shard(0, 2), shard(1, 1)], [[0, 0], [1, 0], [0, 1]]),
        # A shard that rejected examples is shorter.
        ([shard(0, 1), shard(1, 3)], [[0, 0], [1, 0], [1, 1], [1, 2]]),
        ([shard(0, 0), shard(1, 1), shard(2, 0)], [[1, 0]]),
        # One range after the other.
        ([shard(0, 2, 0), shard(1, 1, 0), shard(2, 2, 1)], [[0, 0], [1, 0], [0, 1], [2, 0], [2, 1]]),
        # One split after the other, in the order given.
        (
            [shard(0, 2, 1), shard(0, 2, split="a"), shard(1, 1, split="a")],
            [[0, 0], [0, 1], [1, 0], [2, 0], [1, 1]],
        ),
    ],
)
def test_examples_are_dealt_out_to_the_shards_of_a_range_in_turn(shards: list[Shard], places: list[list[int]]) -> None:
    found = places_of(shards)
    assert found.dtype == np.int32
    assert found.shape == (len(places), 2)
    assert found.tolist() == places


@given(st.integers(0, 200), st.integers(1, 20), st.integers(1, 5))
def test_the_reader_has_the_order_of_the_writer(examples: int, files: int, processes: int) -> None:
    layout = ShardLayout("data", files, processes)
    written = [layout.place(position, examples) for position in range(examples)]
    counts = np.bincount([number for number, _ in written], minlength=layout.num_shards)
    shards = [Shard(f"x/{layout.file_name(number)}", int(count), None) for number, count in enumerate(counts)]
    assert [tuple(place) for place in places_of(shards).tolist()] == written
