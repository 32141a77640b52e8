"""Elements in batches before they are grouped: a shuffle takes longer over an element than a row takes all its work."""

from __future__ import annotations

import pickle
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import apache_beam as beam
from apache_beam.transforms.window import GlobalWindows
from apache_beam.utils.windowed_value import WindowedValue

# Of one batch; far below `MAX_ELEMENT_BYTES`, as the sizes of the items are only estimated.
BATCH_BYTES = 2**18
# Of the batches that a bundle has begun.
HELD_BYTES = 2**24


Plain = tuple[Any, ...]
# The number of items, and their list, pickled: one value for a runner, and the same object is in it once.
Batch = tuple[int, bytes]


def pack(items: list[Plain]) -> Batch:
    """Makes a batch of items, which are tuples of plain values."""
    return len(items), pickle.dumps(items, pickle.HIGHEST_PROTOCOL)


def unpack(batches: Iterable[Batch]) -> Iterator[Plain]:
    """The items of batches, one after the other."""
    for _, pickled in batches:
        yield from pickle.loads(pickled)  # noqa: S301 - what another step of this very job has pickled


class IntoBatches(beam.DoFn):
    """Gathers the items of (key, item) pairs into (key, `Batch`) pairs, as far as they come in one bundle.

    An item that is larger than a batch makes one of its own.

    Args:
        to_plain: makes a tuple of an item.
        size_of: estimates the bytes of an item.
        key_of: gives elements that are no such pairs their keys; the items are then the elements.
    """

    def __init__(
        self,
        to_plain: Callable[[Any], Plain],
        size_of: Callable[[Any], int],
        key_of: Callable[[Any], Any] | None = None,
    ) -> None:
        self.to_plain = to_plain
        self.size_of = size_of
        self.key_of = key_of

    def start_bundle(self) -> None:
        """Begins with no batch."""
        self._batches: dict[Any, list[Plain]] = {}
        self._sizes: dict[Any, int] = defaultdict(int)
        self._held = 0

    def process(self, element: Any) -> Iterable[tuple[Any, Batch]]:
        """Yields the batches that have to make room."""
        key, item = (self.key_of(element), element) if self.key_of else element
        size = self.size_of(item)
        if key not in self._batches:
            self._batches[key] = []
        elif self._sizes[key] + size > BATCH_BYTES:
            yield key, pack(self._batches[key])
            self._batches[key] = []
            self._held -= self._sizes.pop(key)
        self._batches[key].append(self.to_plain(item))
        self._sizes[key] += size
        self._held += size
        if self._held > HELD_BYTES:
            yield from self._take()

    def finish_bundle(self) -> Iterable[WindowedValue]:
        """Yields the batches that are left."""
        return map(GlobalWindows.windowed_value, self._take())

    def _take(self) -> Iterator[tuple[Any, Batch]]:
        batches = self._batches
        self.start_bundle()
        while batches:
            key, items = batches.popitem()
            yield key, pack(items)
