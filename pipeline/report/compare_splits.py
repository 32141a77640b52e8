"""Whether splits differ by more than chance: in the share of the examples that have something of a class."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

# Of a warning about nothing, in all comparisons of a dataset together.
SIGNIFICANCE = 0.01


class Difference(NamedTuple):
    """A class of which a split has another share than the other splits together.

    Attributes:
        split: its name.
        name: of the class.
        share: of the split's examples.
        other_share: of the examples of the other splits.
        probability: that chance alone makes such a difference, or a larger one.
    """

    split: str
    name: str
    share: float
    other_share: float
    probability: float


def find_differences(counts: Mapping[str, Mapping[str, int]], totals: Mapping[str, int]) -> list[Difference]:
    """Compares each split with the others together, for each class.

    Args:
        counts: examples that have something of a class, by split and class.
        totals: examples by split.

    Returns:
        those that are not by chance; of two splits, which say the same of each other, the first.
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
    """How likely two shares differ as much as these, or more, where they are of the same whole.

    The chi-square test of a table of two by two with the correction of Yates (J. R. Stat. Soc. Suppl. 1, 1934), which
    errs on the side of chance where the counts are small.
    """
    every, both = total + other_total, have + other_have
    if not total or not other_total or both in (0, every):
        return 1.0
    difference = abs(have * (other_total - other_have) - other_have * (total - have))
    corrected = max(difference - every / 2, 0.0)
    chi_square = every * corrected**2 / (total * other_total * both * (every - both))
    return math.erfc(math.sqrt(chi_square / 2))
