"""Recognises and inflates compressed labels: what readers know of `maskmill.transforms.shards.label_compression`."""

from __future__ import annotations

import contextlib
import zlib
from typing import Any

import numpy as np
from h5py import h5d, h5z
from numpy.typing import NDArray

# Any object with bytes; collections.abc.Buffer exists from Python 3.12 on.
Buffer = Any

_library: Any = zlib
with contextlib.suppress(ImportError):
    # Optional, with the same functions. Inflates the long runs of labels ten times as fast.
    from zlib_ng import zlib_ng

    _library = zlib_ng

# Inflated at a time. A piece stays in the processor's cache. The memory of a large result would be given back to the
# system each time, and to get it again takes longer than to inflate.
_PIECE_BYTES = 2**18


def inflate(deflated: Buffer, size: int) -> bytes:
    """Inflates a zlib stream (RFC 1950).

    Args:
        deflated: the stream.
        size: expected size of the result, in bytes.

    Raises:
        ValueError: the stream is damaged, or the result has another size.
    """
    try:
        # With a byte to spare the end is found before the result is enlarged.
        inflated: bytes = _library.decompress(deflated, bufsize=size + 1)
    except _library.error as error:
        raise ValueError(str(error)) from error
    if len(inflated) != size:
        raise ValueError(f"{len(inflated)} bytes instead of {size}")
    return inflated


def inflate_into(target: NDArray[Any], deflated: Buffer, dtype: np.dtype[np.generic], count: int) -> None:
    """Inflates a zlib stream of numbers, a large one piece by piece.

    Args:
        target: receives the first numbers, converted to its dtype; one-dimensional.
        deflated: the stream.
        dtype: of the numbers; its size divides `_PIECE_BYTES`.
        count: expected number of numbers, as many as `target` has or more.

    Raises:
        ValueError: the stream is damaged, or has another number of numbers.
    """
    if count * dtype.itemsize <= _PIECE_BYTES:
        target[...] = np.frombuffer(inflate(deflated, count * dtype.itemsize), dtype)[: len(target)]
        return
    stream, rest, done = _library.decompressobj(), deflated, 0
    try:
        while not stream.eof:
            piece = stream.decompress(rest, _PIECE_BYTES)
            if not (piece or stream.eof):
                raise ValueError("incomplete or truncated stream")
            numbers = np.frombuffer(piece, dtype)
            part = target[done : done + len(numbers)]
            part[...] = numbers[: len(part)]
            rest, done = stream.unconsumed_tail, done + len(numbers)
    except _library.error as error:
        raise ValueError(str(error)) from error
    if done != count:
        raise ValueError(f"{done * dtype.itemsize} bytes instead of {count * dtype.itemsize}")


def deflated_chunk_shape(array: h5d.DatasetID) -> tuple[int, ...] | None:
    """Returns the shape of an array's chunks; None unless deflate is their only filter."""
    return _chunk_shape(array, [h5z.FILTER_DEFLATE])


def plain_chunk_shape(array: h5d.DatasetID) -> tuple[int, ...] | None:
    """Returns the shape of an array's chunks; None unless they are stored without a filter."""
    return _chunk_shape(array, [])


def _chunk_shape(array: h5d.DatasetID, filters: list[int]) -> tuple[int, ...] | None:
    properties = array.get_create_plist()
    if properties.get_layout() != h5d.CHUNKED:
        return None
    if [properties.get_filter(index)[0] for index in range(properties.get_nfilters())] != filters:
        return None
    shape: tuple[int, ...] = properties.get_chunk()
    return shape
