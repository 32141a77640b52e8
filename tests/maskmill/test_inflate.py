"""Deflated bytes, inflated."""

from __future__ import annotations

import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskmill.inflate import inflate


@given(st.binary(max_size=3000), st.integers(0, 9))
def test_bytes_of_zlib_are_inflated(content: bytes, level: int) -> None:
    assert inflate(zlib.compress(content, level), len(content)) == content


def test_an_array_of_bytes_may_be_given() -> None:
    deflated = np.frombuffer(zlib.compress(bytes(5000)), np.uint8)
    assert inflate(deflated, 5000) == bytes(5000)


@pytest.mark.parametrize("size", [0, 99, 101, 10_000])
def test_another_size_is_damage(size: int) -> None:
    with pytest.raises(ValueError, match=f"100 bytes instead of {size}"):
        inflate(zlib.compress(bytes(100)), size)


WHOLE = zlib.compress(bytes(range(100)))


@pytest.mark.parametrize(
    "deflated",
    [b"", b"no zlib", bytes(50), WHOLE[:-1], WHOLE[: len(WHOLE) // 2], WHOLE[:-1] + bytes([WHOLE[-1] ^ 1])],
    ids=["nothing", "text", "zeros", "without its end", "half", "another checksum"],
)
def test_damage_is_a_value_error(deflated: bytes) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        inflate(deflated, 100)
