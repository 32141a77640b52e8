"""Inflates deflated bytes, with the fastest library that is installed."""

from __future__ import annotations

import zlib
from typing import Any

# Any object with bytes; collections.abc.Buffer exists from Python 3.12 on.
Buffer = Any

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
