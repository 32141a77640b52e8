"""Gathers records into batches, because shuffling one element costs more than all other work on a row."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import apache_beam as beam
from apache_beam.transforms.window import GlobalWindows
from apache_beam.utils.windowed_value import WindowedValue

from maskmill.transforms.codec import Codec, PackedBatch, Plain, pack_plain

# Of one batch; far below `MAX_ELEMENT_BYTES`, because record sizes are estimates.
BATCH_BYTES = 2**18
# Of all unfinished batches of a bundle.
HELD_BYTES = 2**24


class IntoBatches(beam.DoFn):
    """Gathers the records of (key, record) pairs into (key, `PackedBatch`) pairs, within a bundle.

    A record larger than a batch gets a batch of its own.

    Args:
        codec: encodes the records.
        key_of: gives an element its key, if elements are the records themselves and not (key, record) pairs.
    """

    def __init__(self, codec: Codec[Any], key_of: Callable[[Any], Any] | None = None) -> None:
        self.codec = codec
        self.key_of = key_of

    def start_bundle(self) -> None:
        """Starts without batches."""
        self._batches: dict[Any, list[Plain]] = {}
        self._sizes: dict[Any, int] = defaultdict(int)
        self._held = 0

    def process(self, element: Any) -> Iterable[tuple[Any, PackedBatch]]:
        """Yields the batches that are full, or that make room for others."""
        key, record = (self.key_of(element), element) if self.key_of else element
        size = self.codec.size_of(record)
        if key not in self._batches:
            self._batches[key] = []
        elif self._sizes[key] + size > BATCH_BYTES:
            yield key, pack_plain(self._batches[key])
            self._batches[key] = []
            self._held -= self._sizes.pop(key)
        self._batches[key].append(self.codec.to_plain(record))
        self._sizes[key] += size
        self._held += size
        if self._held > HELD_BYTES:
            yield from self._take()

    def finish_bundle(self) -> Iterable[WindowedValue]:
        """Yields the remaining batches."""
        return map(GlobalWindows.windowed_value, self._take())

    def _take(self) -> Iterator[tuple[Any, PackedBatch]]:
        batches = self._batches
        self.start_bundle()
        while batches:
            key, plain = batches.popitem()
            yield key, pack_plain(plain)
