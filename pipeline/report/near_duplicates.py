"""Finds examples whose images look the same, in one split or in several."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from maskmill import Example
from maskmill.pipeline.report.image_details import details_of, look_the_same
from maskmill.pipeline.report.statistics import SplitStatistics
from maskmill.views import valid_part

# Images look the same only if their hashes differ in at most two bits. Such hashes agree in one of three bands, each
# given by its lowest bit and its number of bits.
_BANDS = ((0, 22), (22, 21), (43, 21))
# Pairs whose pixels are compared, and so many of them at a time. Where light falls off to the right in all images, all
# hashes are equal, and there would be as many pairs as the square of the examples.
MOST_PAIRS = 500_000
_AT_ONCE = 2048
# Images whose details are kept, 8 kB each.
_MOST_DETAILS = 8192


class Place(NamedTuple):
    """An example: its split, its index there, and the name of its image, "" where the dataset does not record it."""

    split: str
    position: int
    image_id: str


class Pair(NamedTuple):
    """Two examples whose images look the same.

    Attributes:
        first: the example of the earlier split, or with the smaller index.
        second: the other one.
        bits: number of bits in which their hashes differ.
        same_masks: whether their labels are equal.
    """

    first: Place
    second: Place
    bits: int
    same_masks: bool

    @property
    def between_splits(self) -> bool:
        """Whether the two are in different splits."""
        return self.first.split != self.second.split


@dataclasses.dataclass(frozen=True)
class NearDuplicates:
    """What was found in the examples that were read.

    Attributes:
        pairs: first those between splits, then those within one; each in the order of the examples.
        flat: examples of a single grey or colour, which are not compared.
        compared_all: whether the pixels of all pairs with similar hashes were compared, and not of `MOST_PAIRS` only.
    """

    pairs: Sequence[Pair]
    flat: Sequence[Place]
    compared_all: bool


def find_near_duplicates(splits: Sequence[SplitStatistics]) -> NearDuplicates:
    """Compares all examples that were read with each other: by their hashes, and by their pixels if those are similar.

    Raises:
        DatasetError: the dataset is not whole.
        OSError: it cannot be read.
    """
    examples = _Examples(splits)
    flat = np.concatenate([split.flat for split in splits])
    shown = np.flatnonzero(~flat)
    hashes = np.concatenate([split.hashes for split in splits])
    similar = shown[similar_pairs(hashes[shown], MOST_PAIRS + 1)]
    compared = similar[:MOST_PAIRS]
    pairs = [
        Pair(examples.place(one), examples.place(other), int(hashes[one] ^ hashes[other]).bit_count(), same_masks)
        for start in range(0, len(compared), _AT_ONCE)
        for one, other, same_masks in _confirm(examples, compared[start : start + _AT_ONCE])
    ]
    pairs.sort(key=lambda pair: not pair.between_splits)
    places = [examples.place(number) for number in np.flatnonzero(flat).tolist()]
    return NearDuplicates(pairs, places, len(similar) == len(compared))


def similar_pairs(hashes: NDArray[np.uint64], most: int) -> NDArray[np.int64]:
    """Finds pairs of hashes that differ in at most two bits.

    Args:
        hashes: uint64 [n].
        most: number of pairs that are enough, if there are more.

    Returns:
        int64 [pairs, 2]: two indices, the smaller first; in order, each pair once.
    """
    found = [_agreeing(hashes, _BANDS[number], _BANDS[:number], most) for number in range(len(_BANDS))]
    pairs = np.concatenate(found)[:most]
    return pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]


def _agreeing(
    hashes: NDArray[np.uint64], band: tuple[int, int], earlier: Sequence[tuple[int, int]], most: int
) -> NDArray[np.int64]:
    """Finds the similar pairs that agree in a band, and in no earlier one, which has found them; `most` are enough."""
    values = hashes & _mask(band)
    order = np.argsort(values, kind="stable")
    values = values[order]
    left, found, number = np.arange(len(order)), [np.empty((0, 2), np.int64)], 0
    for distance in range(1, len(order)):
        # Of each run of equal values, those that have another one of it so much further on.
        left = left[left + distance < len(order)]
        left = left[values[left] == values[left + distance]]
        if not len(left) or number >= most:
            break
        pairs = np.stack([order[left], order[left + distance]], axis=1)
        different = hashes[pairs[:, 0]] ^ hashes[pairs[:, 1]]
        new = np.all([different & _mask(one) != 0 for one in earlier], axis=0) if earlier else True
        found.append(pairs[_has_at_most_two_bits(different) & new])
        number += len(found[-1])
    return np.concatenate(found)


def _mask(band: tuple[int, int]) -> np.uint64:
    low, bits = band
    return np.uint64(((1 << bits) - 1) << low)


def _has_at_most_two_bits(values: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Returns which values are 0 when their lowest bit was cleared twice."""
    one = np.uint64(1)
    values = values & (values - one)
    few: NDArray[np.bool_] = values & (values - one) == 0
    return few


def _confirm(examples: _Examples, pairs: NDArray[np.int64]) -> Iterator[tuple[int, int, bool]]:
    """Yields the pairs that look the same, and whether their masks are equal."""
    numbers, rows = np.unique(pairs, return_inverse=True)
    rows = rows.reshape(pairs.shape)
    details = examples.details(numbers.tolist())
    same = look_the_same(details[rows[:, 0]], details[rows[:, 1]])
    for one, other in pairs[same].tolist():
        yield one, other, np.array_equal(examples.read(one).label, examples.read(other).label)


def _details_of(example: Example) -> NDArray[np.float32]:
    return details_of(valid_part(example.image, example.view))


class _Examples:
    """The examples that were read of all splits, in one row."""

    def __init__(self, splits: Sequence[SplitStatistics]) -> None:
        self._splits = splits
        self._details = functools.lru_cache(_MOST_DETAILS)(lambda number: _details_of(self.read(number)))
        self._image_ids = [image_id for split in splits for image_id in split.image_ids]
        self._ends = np.cumsum([len(split.positions) for split in splits])

    def place(self, number: int) -> Place:
        order, index = self._find(number)
        return Place(self._splits[order].name, index, self._image_ids[number])

    def read(self, number: int) -> Example:
        order, index = self._find(number)
        return self._splits[order].dataset[index]

    def details(self, numbers: Sequence[int]) -> NDArray[np.float32]:
        return np.stack([self._details(number) for number in numbers])

    def _find(self, number: int) -> tuple[int, int]:
        order = int(np.searchsorted(self._ends, number, "right"))
        begin = self._ends[order] - len(self._splits[order].positions)
        return order, int(self._splits[order].positions[number - begin])
