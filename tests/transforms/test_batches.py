"""Tests of batches: every record once, in order, in pieces of a bounded size."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskmill.transforms import batches
from maskmill.transforms.batches import IntoBatches
from maskmill.transforms.codec import Codec, PackedBatch, unpack

# A number is a record of as many bytes.
NUMBERS: Codec[int] = Codec(lambda number: (number,), lambda plain: plain[0], lambda number: number)


def batches_of(step: IntoBatches, elements: list[Any]) -> list[tuple[Any, PackedBatch]]:
    """What a step makes of a bundle."""
    step.start_bundle()
    yielded = [made for element in elements for made in step.process(element)]
    return yielded + [windowed.value for windowed in step.finish_bundle()]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 120)), max_size=60), st.integers(10, 500))
def test_every_record_is_in_one_batch_of_its_key_in_order(pairs: list[tuple[str, int]], held: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batches, "BATCH_BYTES", 100)
        patch.setattr(batches, "HELD_BYTES", held)
        found: dict[str, list[int]] = defaultdict(list)
        for key, batch in batches_of(IntoBatches(NUMBERS), pairs):
            numbers = list(unpack([batch], NUMBERS))
            assert batch[0] == len(numbers)
            assert numbers
            assert sum(numbers) <= 100 or len(numbers) == 1
            found[key] += numbers
    expected: dict[str, list[int]] = defaultdict(list)
    for key, number in pairs:
        expected[key].append(number)
    assert found == expected


def test_elements_may_be_the_records_themselves() -> None:
    made = batches_of(IntoBatches(NUMBERS, key_of=lambda number: number % 2), [1, 2, 3, 4])
    assert {key: list(unpack([batch], NUMBERS)) for key, batch in made} == {0: [2, 4], 1: [1, 3]}


def test_a_bundle_of_many_keys_holds_a_bounded_amount(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "HELD_BYTES", 1000)
    step = IntoBatches(NUMBERS)
    step.start_bundle()
    held = 0
    for key in range(1000):
        held += 10 - 10 * sum(count for _, (count, _) in step.process((key, 10)))
        assert held <= 1000
