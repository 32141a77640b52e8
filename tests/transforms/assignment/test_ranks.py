"""Tests of the ranking of examples in parallel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskmill.transforms.assignment.image_hash import HASH_BITS
from maskmill.transforms.assignment.ranks import (
    BlockKey,
    Bounds,
    Offsets,
    cut_each,
    hash_block,
    offsets_of,
    split_sizes,
)
from maskmill.transforms.assignment.splits import Selection, SplitRule, SplitSize

FIRST, SECOND = Selection(0, (3,)), Selection(0, (4,))
RULES = [SplitRule("a", FIRST, 0, 0.5), SplitRule("b", FIRST, 0.5, 1), SplitRule("c", SECOND, 0, 0.5)]


def halves(rules: Sequence[SplitRule], examples: int) -> Bounds:
    return [(0, examples // 2), (examples // 2, examples)][: len(rules)]


def halve(rules: Sequence[SplitRule], totals: Mapping[int, int]) -> dict[int, Bounds]:
    return cut_each(rules, totals, halves)


def test_a_block_begins_after_the_blocks_before_it_in_its_stratum() -> None:
    counts = {
        BlockKey(0, 0, 1, 0): 5,
        BlockKey(0, 0, 0, 100): 3,
        BlockKey(0, 0, 0, 0): 2,
        BlockKey(0, 1, 0, 0): 7,
        BlockKey(1, 0, 0, 0): 4,
    }
    assert offsets_of(counts.items(), RULES, halve) == Offsets(
        first_ranks={
            BlockKey(0, 0, 0, 0): 0,
            BlockKey(0, 0, 0, 100): 2,
            BlockKey(0, 0, 1, 0): 5,
            BlockKey(0, 1, 0, 0): 0,
            BlockKey(1, 0, 0, 0): 0,
        },
        totals={(0, 0): 10, (0, 1): 7, (1, 0): 4},
        bounds={(0, 0): [(0, 5), (5, 10)], (0, 1): [(0, 3), (3, 7)], (1, 0): [(0, 2)]},
    )


def test_strata_are_those_of_a_selection_in_order() -> None:
    offsets = Offsets({}, {(0, 2): 5, (1, 0): 9, (0, 1): 7}, {})
    assert offsets.strata(0) == [(1, 7), (2, 5)]
    assert offsets.strata(2) == []


def test_the_size_of_a_split_is_the_sum_over_the_strata_of_its_selection() -> None:
    offsets = offsets_of({(0, 0, 0, 0): 5, (0, 1, 0, 0): 3, (1, 0, 0, 0): 10}.items(), RULES, halve)
    assert split_sizes(offsets, RULES) == {"a": SplitSize(3, 8), "b": SplitSize(5, 8), "c": SplitSize(5, 10)}


def test_a_split_of_a_selection_without_examples_is_empty() -> None:
    rules = [SplitRule("a", FIRST, 0, 1)]
    assert split_sizes(offsets_of([], rules, halve), rules) == {"a": SplitSize(0, 0)}


@pytest.mark.parametrize(
    ("number", "blocks", "block"),
    [(0, 4, 0), (2**62 - 1, 4, 0), (2**62, 4, 1), (2**64 - 1, 4, 3), (2**64 - 1, 1, 0), (2**63, 3, 1)],
)
def test_a_hash_is_in_the_block_of_its_range(number: int, blocks: int, block: int) -> None:
    assert hash_block(number, blocks) == block


@given(st.lists(st.integers(0, 2**HASH_BITS - 1), max_size=30), st.integers(1, 100))
def test_blocks_are_in_the_order_of_their_hashes(numbers: list[int], blocks: int) -> None:
    found = [hash_block(number, blocks) for number in sorted(numbers)]
    assert found == sorted(found)
    assert all(0 <= block < blocks for block in found)
