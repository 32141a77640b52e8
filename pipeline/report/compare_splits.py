"""Tests whether splits differ by more than chance in the share of examples with a class."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

# Probability of a false warning, in all comparisons of a dataset together.
SIGNIFICANCE = 0.01


class Difference(NamedTuple):
    """A class whose share in a split differs from its share in all other splits.

    Attributes:
        split: name of the split.
        name: name of the class.
        share: share of the split's examples that have it.
        other_share: share of the other splits' examples that have it.
        probability: probability of such a difference, or a larger one, by chance alone.
    """

    split: str
    name: str
    share: float
    other_share: float
    probability: float


def find_differences(counts: Mapping[str, Mapping[str, int]], totals: Mapping[str, int]) -> list[Difference]:
    """Compares each split with all others, for each class.

    Args:
        counts: number of examples with a class, by split and class.
        totals: number of examples by split.

    Returns:
        the significant differences; of two splits, which differ equally from each other, only the first.
    """
    splits = [split for split, total in totals.items() if total]
    compared = [(split, name) for split in _to_compare(splits) for name in counts[split]]
    found = []
    for split, name in compared:
        others = [other for other in splits if other != split]
        part, rest = totals[split], sum(totals[other] for other in others)
        have, rest_have = counts[split][name], sum(counts[other][name] for other in others)
        probability = probability_of_chance(have, part, rest_have, rest)
        if probability < SIGNIFICANCE / len(compared):
            found.append(Difference(split, name, have / part, rest_have / rest, probability))
    return found


def _to_compare(splits: Sequence[str]) -> Sequence[str]:
    return splits if len(splits) > 2 else splits[: len(splits) - 1]


def probability_of_chance(have: int, total: int, other_have: int, other_total: int) -> float:
    """Returns the probability that two samples of one population differ as much as these, or more.

    The chi-square test of a 2 x 2 table with the correction of Yates (J. R. Stat. Soc. Suppl. 1, 1934), which is
    conservative for small counts.
    """
    every, both = total + other_total, have + other_have
    if not total or not other_total or both in (0, every):
        return 1.0
    difference = abs(have * (other_total - other_have) - other_have * (total - have))
    corrected = max(difference - every / 2, 0.0)
    chi_square = every * corrected**2 / (total * other_total * both * (every - both))
    return math.erfc(math.sqrt(chi_square / 2))
