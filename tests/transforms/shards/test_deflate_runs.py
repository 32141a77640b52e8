"""Labels are compressed from their runs, into bytes that zlib inflates."""

from __future__ import annotations

import itertools
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskmill.transforms.shards.deflate_runs import canonical_codes, code_lengths, coder_for, deflate_runs

FLOATS = (np.float32(0).tobytes(), np.float32(1).tobytes())
NUMBERS = [
    FLOATS,
    (b"\0\0\0\0", b"\1\0\0\0"),
    (b"\0", b"\1"),
    (b"\0\0", b"\0\x3c"),
    tuple(bytes([n, 0, 0]) for n in range(9)),
]


def expand(plane: np.ndarray, numbers: tuple[bytes, ...]) -> bytes:
    return b"".join(numbers[value] for value in plane.ravel())


@pytest.mark.parametrize("numbers", NUMBERS)
@given(runs=st.lists(st.tuples(st.integers(0, 8), st.integers(1, 600)), min_size=1, max_size=20))
def test_zlib_gives_back_the_array(numbers: tuple[bytes, ...], runs: list[tuple[int, int]]) -> None:
    plane = np.concatenate([np.full(length, value % len(numbers), np.uint8) for value, length in runs])
    assert zlib.decompress(deflate_runs(plane, numbers)) == expand(plane, numbers)


@pytest.mark.parametrize("numbers", NUMBERS)
def test_a_run_may_have_any_length(numbers: tuple[bytes, ...]) -> None:
    for length in range(1, 800):
        plane = np.array([0] * 3 + [1] * length + [0], np.uint8)
        assert zlib.decompress(deflate_runs(plane, numbers)) == expand(plane, numbers)


@pytest.mark.parametrize("shape", [(1, 1), (1, 1, 300), (204, 5120), (1, 1 << 24)])
@pytest.mark.parametrize("value", [0, 1])
def test_an_array_of_one_number_is_small(shape: tuple[int, ...], value: int) -> None:
    plane = np.full(shape, value, np.uint8)
    packed = deflate_runs(plane, FLOATS)
    assert np.array_equal(np.frombuffer(zlib.decompress(packed), "<f4"), plane.ravel())
    assert len(packed) < 60 + 4 * plane.size // 1031  # deflate cannot do better


def test_noise_is_read_back_too_and_is_no_larger_than_the_array() -> None:
    plane = np.random.default_rng(1).integers(0, 2, (400, 1000), np.uint8)
    packed = deflate_runs(plane, FLOATS)
    assert np.array_equal(np.frombuffer(zlib.decompress(packed), "<f4").reshape(plane.shape), plane)
    assert len(packed) < 4 * plane.size


def test_the_checksum_holds_for_the_largest_row() -> None:
    plane = np.ones(1 << 26, np.uint8)
    plane[:: 1 << 20] = 0
    numbers = (b"\xff", b"\xfe")
    assert deflate_runs(plane, numbers)[-4:] == zlib.adler32(plane ^ 0xFF).to_bytes(4, "big")


def test_bytes_are_the_same_for_ever() -> None:
    plane = np.repeat(np.array([0, 1, 0, 1, 0], np.uint8), [70, 1, 500, 64, 5])
    assert (
        deflate_runs(plane, FLOATS).hex()
        == "7801edc4d161db560c00406cc6d5387adbb66d92d8b62491e40380fbb88b88f888887d8b88a80d0088d8b7c922227ef7073a993080"
    )


@given(st.dictionaries(st.integers(0, 300), st.integers(1, 10**6), min_size=2, max_size=60))
def test_a_code_is_complete_and_no_symbol_begins_another(weights: dict[int, int]) -> None:
    lengths = code_lengths(weights)
    assert sum(2.0**-length for length in lengths.values()) == 1
    codes = canonical_codes(lengths)
    texts = sorted(f"{code.value:0{code.length}b}"[::-1] for code in codes.values())
    assert not any(longer.startswith(shorter) for shorter, longer in itertools.pairwise(texts))


@pytest.mark.parametrize("numbers", NUMBERS)
def test_codes_fit_where_they_are_put_together(numbers: tuple[bytes, ...]) -> None:
    assert coder_for(numbers).counts.max() <= 64 - 7
