"""Codecs turn records into plain tuples, and batches of them into one value that crosses a shuffle. Needs no Beam."""

from __future__ import annotations

import dataclasses
import pickle
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Generic, TypeVar

Record = TypeVar("Record")
# A tuple of plain values. Strings that many records share are interned, so that a batch holds each once.
Plain = tuple[Any, ...]
# The number of records, and their pickled list.
PackedBatch = tuple[int, bytes]


@dataclasses.dataclass(frozen=True)
class Codec(Generic[Record]):
    """Encodes one type of record for a shuffle.

    Attributes:
        to_plain: turns a record into a plain tuple.
        from_plain: inverts `to_plain`.
        size_of: estimates the bytes that a record adds to a batch.
    """

    to_plain: Callable[[Record], Plain]
    from_plain: Callable[[Plain], Record]
    size_of: Callable[[Record], int]

    def pack(self, records: Iterable[Record]) -> PackedBatch:
        """Packs records into a batch."""
        return pack_plain([self.to_plain(record) for record in records])


def pack_plain(plain: Sequence[Plain]) -> PackedBatch:
    """Packs records that are plain tuples already."""
    return len(plain), pickle.dumps(plain, pickle.HIGHEST_PROTOCOL)


def unpack(batches: Iterable[PackedBatch], codec: Codec[Record]) -> Iterator[Record]:
    """Yields the records of batches, in order."""
    for _, pickled in batches:
        yield from map(codec.from_plain, pickle.loads(pickled))  # noqa: S301 - pickled by another step of this job
