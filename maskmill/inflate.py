"""Deflated bytes inflated, by the fastest library that is installed."""

from __future__ import annotations

import zlib
from typing import Any

# Whatever has bytes: the type for that is younger than Python 3.10.
Buffer = Any

try:
    from isal import igzip_lib, isal_zlib  # an extra
except ImportError:
    _damage: Any = zlib.error
    _decompress = zlib.decompress
else:
    _damage = igzip_lib.IsalError
    _decompress = isal_zlib.decompress


def inflate(deflated: Buffer, size: int) -> bytes:
    """Inflates bytes in the format of zlib.

    Args:
        deflated: the bytes.
        size: of the result, in bytes.

    Raises:
        ValueError: they are damaged, or the result is of another size.
    """
    try:
        inflated: bytes = _decompress(deflated, bufsize=size)
    except _damage as error:
        raise ValueError(str(error)) from error
    if len(inflated) != size:
        raise ValueError(f"{len(inflated)} bytes instead of {size}")
    return inflated
