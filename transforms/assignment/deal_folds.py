"""Deals examples out to folds, so that the folds are equal in every class.

Examples with the same set of classes are alike, so that a deal is a number of examples for each set and fold. It
follows from the numbers of examples alone.

Each fold first gets an equal number of each set. What is left of a set, less than one example a fold, goes to the folds
with the fewest examples of its classes (after Sechidis, Tsoumakas and Vlahavas, On the Stratification of Multi-Label
Data, 2011); then pairs of folds exchange examples while that makes them more equal. If two folds still differ by more
than one example of a class, what is left is dealt again in other orders, and the most equal deal counts.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

# The classes of an example, in ascending order.
ClassSet = tuple[int, ...]
Numbers = NDArray[np.int64]

# Orders of what is left that are tried. In some data, no deal makes all folds equal.
_ORDERS = 40
# Sets that may take part in an exchange, on each side: those that it helps most.
_MOST_SETS = 128
_NEVER = -(2**40)


class _Deal(NamedTuple):
    """A deal that is under way.

    Attributes:
        kinds: what an example of each set counts as, 0 or 1, [sets, kinds]: a kind for each class, one for examples
            without a defect, and one for all.
        dealt: number of examples, [sets, folds].
        totals: number of examples of each kind, [kinds, folds].
    """

    kinds: Numbers
    dealt: Numbers
    totals: Numbers

    @property
    def is_even(self) -> bool:
        """Whether no two folds differ by more than one example of any kind."""
        return bool((np.ptp(self.totals, axis=1) <= 1).all())

    @property
    def unevenness(self) -> int:
        """The smaller, the more equal the folds: the sum of the squares of all totals, whose sums are given."""
        return int((self.totals**2).sum())

    def move(self, one: int, fold: int, number: int = 1) -> None:
        """Adds examples of a set to a fold."""
        self.dealt[one, fold] += number
        self.totals[:, fold] += number * self.kinds[one]


def deal(examples: Mapping[ClassSet, int], folds: int) -> dict[ClassSet, list[int]]:
    """Deals examples out to folds.

    If no example has several classes, the folds differ by at most one example of each class, without a defect, and in
    all. If some have, that is not always possible: the pairs of classes 1 and 2, 2 and 3, 1 and 3 cannot be dealt to
    two folds like this.

    Args:
        examples: their number, by set of classes; the empty set is of those without a defect.
        folds: number of folds.

    Returns:
        the number of examples of each set in each fold.
    """
    sets = sorted(examples)
    counts = np.array([examples[one] for one in sets], np.int64)
    kinds = _kinds_of(sets)
    best: _Deal | None = None
    for order in _orders(sets, kinds.T @ counts):
        found = _deal_in_order(order, counts, kinds, folds)
        if best is None or found.unevenness < best.unevenness:
            best = found
        if best.is_even:
            break
    assert best is not None
    return dict(zip(sets, best.dealt.tolist(), strict=True))


def _kinds_of(sets: Sequence[ClassSet]) -> Numbers:
    classes = sorted({class_id for one in sets for class_id in one})
    rows = [[*(class_id in one for class_id in classes), not one, True] for one in sets]
    return np.array(rows, np.int64).reshape(len(sets), len(classes) + 2)


def _orders(sets: Sequence[ClassSet], totals: Numbers) -> Iterator[list[int]]:
    """Yields orders in which the sets are dealt: the rarest class first, which is hardest to deal; then any others."""
    classes = sorted({class_id for one in sets for class_id in one})
    number_of = dict(zip(classes, totals.tolist(), strict=False))
    most = int(totals[-1])

    def rarity(index: int) -> tuple[int, int, int]:
        return min(map(number_of.__getitem__, sets[index]), default=most), -len(sets[index]), index

    yield sorted(range(len(sets)), key=rarity)
    for number in range(1, _ORDERS):
        yield sorted(range(len(sets)), key=lambda index: hashlib.sha256(f"{number}:{sets[index]}".encode()).digest())


def _deal_in_order(order: Sequence[int], counts: Numbers, kinds: Numbers, folds: int) -> _Deal:
    equal = counts // folds
    dealt = np.repeat(equal[:, np.newaxis], folds, axis=1)
    made = _Deal(kinds, dealt, kinds.T @ dealt)
    for one in order:
        for _ in range(int(counts[one] - folds * equal[one])):
            # No fold gets two while another gets none: then each class alone is equal.
            load = (kinds[one] @ made.totals).tolist()
            made.move(one, min(range(folds), key=lambda fold: (made.dealt[one, fold], load[fold], fold)))
    while any(_exchange(made, *pair) for pair in itertools.combinations(range(folds), 2)):
        pass
    return made


def _exchange(made: _Deal, fold: int, other: int) -> bool:
    """Exchanges an example of a fold for one of another, or for nothing, if that makes the two more equal."""
    excess = made.totals[:, fold] - made.totals[:, other]
    if (abs(excess) <= 1).all():
        return False
    # To give examples that differ by `kinds` lowers the sum of squares by 2 (kinds . excess - kinds . kinds).
    gain, size = made.kinds @ excess, (made.kinds**2).sum(axis=1)
    giving = np.where(made.dealt[:, fold] > 0, gain - size, _NEVER)
    taking = np.where(made.dealt[:, other] > 0, -gain - size, _NEVER)
    given, taken = (np.argsort(-one, kind="stable")[:_MOST_SETS] for one in (giving, taking))
    common = made.kinds[given] @ made.kinds[taken].T
    both = giving[given][:, np.newaxis] + taking[taken] + 2 * common
    # The last row and column stand for nothing.
    gains = np.block([[both, giving[given][:, np.newaxis]], [taking[taken], np.zeros((1, 1), np.int64)]])
    row, column = map(int, np.unravel_index(int(gains.argmax()), gains.shape))
    if gains[row, column] <= 0:
        return False
    for index, sets, source, target in ((row, given, fold, other), (column, taken, other, fold)):
        if index < len(sets):
            made.move(int(sets[index]), source, -1)
            made.move(int(sets[index]), target)
    return True
