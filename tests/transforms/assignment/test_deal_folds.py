"""Tests of the deal of examples to folds."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskmill.transforms.assignment.deal_folds import ClassSet, deal


def spread(dealt: Mapping[ClassSet, Sequence[int]], folds: int) -> dict[object, int]:
    """By how many examples folds differ: of each class, of those without a defect, and of all."""
    totals: dict[object, list[int]] = {}
    for one, numbers in dealt.items():
        for kind in (*one, "all", *(() if one else ("no defect",))):
            totals[kind] = [a + b for a, b in zip(totals.get(kind, [0] * folds), numbers, strict=True)]
    return {kind: max(of_kind) - min(of_kind) for kind, of_kind in totals.items()}


def most(examples: Mapping[ClassSet, int], folds: int) -> int:
    """The largest difference; every example is dealt once."""
    dealt = deal(examples, folds)
    assert {one: sum(numbers) for one, numbers in dealt.items()} == dict(examples)
    assert all(min(numbers) >= 0 for numbers in dealt.values())
    return max(spread(dealt, folds).values(), default=0)


def draw(seed: int) -> tuple[dict[ClassSet, int], int]:
    """Numbers of examples by set of classes, many of them rare; and a number of folds."""
    random = np.random.default_rng(seed)
    classes = int(random.choice([3, 4, 6, 10, 20]))
    sizes = random.choice([0, 1, 1, 1, 2, 2, 3, 4], int(random.integers(1, min(2**classes, 40))))
    examples = {}
    for size in sizes.tolist():
        chosen = random.choice(np.arange(1, classes + 1), min(size, classes), replace=False)
        examples[tuple(sorted(chosen.tolist()))] = int(random.choice([1, 1, 1, 2, 3, 5, 8, 20, 100, 1000]))
    return examples, int(random.choice([2, 3, 4, 5, 8, 10]))


@given(st.lists(st.integers(0, 60), min_size=1, max_size=8), st.integers(2, 12))
def test_examples_of_one_class_each_are_dealt_equally(numbers: list[int], folds: int) -> None:
    examples: dict[ClassSet, int] = {(number,): count for number, count in enumerate(numbers[1:], 1)}
    assert most({(): numbers[0], **examples}, folds) <= 1


def test_examples_of_several_classes_are_mostly_dealt_equally_too() -> None:
    found = Counter(most(*draw(seed)) for seed in range(300))
    assert set(found) <= {0, 1, 2}
    assert found[2] <= 9


def an_even_deal_exists(examples: Mapping[ClassSet, int], folds: int) -> bool:
    """Tries every deal."""
    ways = [
        [numbers for numbers in itertools.product(range(count + 1), repeat=folds) if sum(numbers) == count]
        for count in examples.values()
    ]
    return any(
        max(spread(dict(zip(examples, numbers, strict=True)), folds).values()) <= 1
        for numbers in itertools.product(*ways)
    )


def test_where_an_even_deal_exists_it_is_found() -> None:
    random = np.random.default_rng(0)
    sets = list(itertools.combinations((1, 2, 3, 4), 2))
    evens = 0
    for _ in range(60):
        chosen = random.choice(len(sets), int(random.integers(3, 6)), replace=False)
        examples = {sets[index]: int(random.integers(1, 3)) for index in chosen}
        folds = int(random.integers(2, 4))
        exists = an_even_deal_exists(examples, folds)
        assert (most(examples, folds) <= 1) == exists
        evens += exists
    assert 30 < evens < 60


def test_some_data_have_no_even_deal() -> None:
    examples = {(1, 2): 1, (2, 3): 1, (1, 3): 1}
    assert not an_even_deal_exists(examples, 2)
    assert most(examples, 2) == 2


def test_a_deal_does_not_depend_on_the_order_of_the_sets() -> None:
    for seed in range(5):
        examples, folds = draw(seed)
        assert deal(dict(reversed(examples.items())), folds) == deal(examples, folds)


@pytest.mark.parametrize("examples", [{}, {(): 0}, {(1,): 1}, {(): 1, (64,): 3}])
def test_fewer_examples_than_folds(examples: dict[ClassSet, int]) -> None:
    assert most(examples, 5) <= 1
