"""Recognises and inflates compressed labels: what readers know of `maskmill.transforms.shards.label_compression`."""

from __future__ import annotations

import zlib
from typing import Any

from h5py import h5d, h5z

# Any object with bytes; collections.abc.Buffer exists from Python 3.12 on.
Buffer = Any

# The fastest library that is installed.
try:
    from isal import igzip_lib, isal_zlib  # optional
except ImportError:
    _damage: Any = zlib.error
    _decompress = zlib.decompress
else:
    _damage = igzip_lib.IsalError
    _decompress = isal_zlib.decompress


def inflate(deflated: Buffer, size: int) -> bytes:
    """Inflates a zlib stream (RFC 1950).

    Args:
        deflated: the stream.
        size: expected size of the result, in bytes.

    Raises:
        ValueError: the stream is damaged, or the result has another size.
    """
    try:
        inflated: bytes = _decompress(deflated, bufsize=size)
    except _damage as error:
        raise ValueError(str(error)) from error
    if len(inflated) != size:
        raise ValueError(f"{len(inflated)} bytes instead of {size}")
    return inflated


def deflated_chunk_shape(array: h5d.DatasetID) -> tuple[int, ...] | None:
    """Returns the shape of an array's chunks; None unless deflate is their only filter."""
    properties = array.get_create_plist()
    if properties.get_layout() != h5d.CHUNKED or properties.get_nfilters() != 1:
        return None
    shape: tuple[int, ...] = properties.get_chunk()
    return shape if properties.get_filter(0)[0] == h5z.FILTER_DEFLATE else None
