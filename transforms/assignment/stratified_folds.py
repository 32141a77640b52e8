"""Divides the examples of a selection into strata by their sets of classes, and cuts these into folds.

The stratum of the rarest class is not enough for folds: the remainders of the strata add up in the classes that their
examples have besides. Dealing out sets of classes keeps all classes equal.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping, Sequence

from maskmill.transforms.assignment.deal_folds import ClassSet, deal
from maskmill.transforms.assignment.image_hash import hash_image
from maskmill.transforms.assignment.ranks import BlockKeyType, Bounds, hash_block
from maskmill.transforms.assignment.splits import SelectedExample, SplitRule

# Added to the bits of a set: 64 of them fit into a signed number of 64 bits then, which Beam encodes.
_LOWEST = -(2**63)


def stratum_of_set(class_ids: Collection[int]) -> int:
    """Returns the number of the stratum of a set of classes."""
    return _LOWEST + sum(1 << (class_id - 1) for class_id in class_ids)


def set_of_stratum(stratum: int) -> ClassSet:
    """Inverts `stratum_of_set`."""
    bits = stratum - _LOWEST
    return tuple(number for number in range(1, bits.bit_length() + 1) if bits >> (number - 1) & 1)


def set_block(selected: SelectedExample, salt: str, blocks: int) -> BlockKeyType:
    """Returns the block of an example's stratum that holds its hash."""
    number = hash_image(selected.spec.image_id, salt).split
    return selected.selection, stratum_of_set(selected.spec.class_ids), 0, hash_block(number, blocks)


def cut_sets(rules: Sequence[SplitRule], totals: Mapping[int, int]) -> dict[int, Bounds]:
    """Cuts all strata into folds; see `ranks.Cut`."""
    dealt = deal({set_of_stratum(stratum): total for stratum, total in totals.items()}, len(rules))
    return {stratum_of_set(one): list(itertools.pairwise([0, *itertools.accumulate(dealt[one])])) for one in dealt}
