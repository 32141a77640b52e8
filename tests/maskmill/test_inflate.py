"""Deflated bytes, inflated."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from zlib_ng import zlib_ng

from maskmill.inflate import inflate, inflate_into

FLOATS = np.dtype("<f4")
PIECE = 2**16  # Numbers of a piece.


@pytest.fixture(name="_library", params=[zlib, zlib_ng], ids=lambda library: library.__name__)
def use_library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of the libraries that may be installed."""
    monkeypatch.setattr("maskmill.inflate._library", request.param)


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
@pytest.mark.usefixtures("_library")
def test_damage_is_a_value_error(deflated: bytes) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        inflate(deflated, 100)
    with pytest.raises(ValueError, match=r"\w"):
        inflate_into(np.empty(100, np.uint8), deflated, np.dtype("u1"), 100)


def runs_of(count: int) -> NDArray[Any]:
    """Numbers as in a label."""
    return np.repeat(np.arange(count // 50 + 1) % 3, 50)[:count].astype(FLOATS)


@pytest.mark.usefixtures("_library")
@pytest.mark.parametrize("count", [0, 1, 1000, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, 5 * PIECE + 7])
@pytest.mark.parametrize("dtype", ["<f4", "u1", "f8"])
def test_numbers_are_inflated_and_converted(count: int, dtype: str) -> None:
    for numbers in (runs_of(count), np.zeros(count, FLOATS)):
        target = np.full(count, 9, dtype)
        inflate_into(target, zlib.compress(numbers.tobytes()), FLOATS, count)
        assert np.array_equal(target, numbers)


@pytest.mark.usefixtures("_library")
@pytest.mark.parametrize("fewer", [1, PIECE, 2 * PIECE])
def test_numbers_past_the_target_are_left_out(fewer: int) -> None:
    numbers = runs_of(2 * PIECE)
    target = np.empty(len(numbers) - fewer, np.uint8)
    inflate_into(target, zlib.compress(numbers.tobytes()), FLOATS, len(numbers))
    assert np.array_equal(target, numbers[: len(target)])


@pytest.mark.usefixtures("_library")
@pytest.mark.parametrize("count", [PIECE, 2 * PIECE + 5])
def test_damage_is_found_in_a_later_piece_and_in_the_checksum(count: int) -> None:
    deflated = zlib.compress(runs_of(count).tobytes())
    for damaged in (deflated[:-1], deflated[:-5], deflated[:-9], deflated[:-1] + bytes([deflated[-1] ^ 1])):
        with pytest.raises(ValueError, match=r"\w"):
            inflate_into(np.empty(count, FLOATS), damaged, FLOATS, count)


@pytest.mark.usefixtures("_library")
@pytest.mark.parametrize("count", [999, 1001, PIECE])
def test_another_number_of_numbers_is_damage(count: int) -> None:
    with pytest.raises(ValueError, match=f"4000 bytes instead of {4 * count}"):
        inflate_into(np.empty(min(count, 1000), FLOATS), zlib.compress(bytes(4000)), FLOATS, count)
