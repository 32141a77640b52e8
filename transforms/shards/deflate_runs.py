"""Compresses runs of numbers into a deflate stream, without making the array that they represent.

A label consists of a few numbers in long runs. For 256 x 1600 pixels it is 1.6 MB of float32, and zlib looks at every
byte. Here the stream is built from the runs: a number as literals, then matches that repeat it. That takes a tenth of
the time and half of the space, and gives the same bytes with every version of zlib.

Formats: zlib (RFC 1950) and deflate (RFC 1951), with a single block of dynamic Huffman codes. The codes are chosen once
for typical labels, not for each label.
"""

from __future__ import annotations

import functools
import heapq
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from maskmill.transforms.kernel import KERNEL

_ZLIB_HEADER = b"\x78\x01"
_ADLER_MODULUS = 65521
_LONGEST = 258
# Up to two more than the longest match: a rest of one or two bytes, too short for a match, is left to the last two.
_RESTS = _LONGEST + 3

# Symbols of the code for literals and lengths.
_END = 256
_FIRST_LENGTH, _LONGEST_LENGTH = 257, 285
# Least length of each symbol from 257, and number of extra bits that add to it (RFC 1951, 3.2.5).
_LENGTHS = (
    *range(3, 11),
    *range(11, 19, 2),
    *range(19, 35, 4),
    *range(35, 67, 8),
    *range(67, 131, 16),
    *range(131, 258, 32),
    258,
)
_EXTRA_BITS = (0,) * 8 + (1,) * 4 + (2,) * 4 + (3,) * 4 + (4,) * 4 + (5,) * 4 + (0,)
# The order of the lengths of the code for code lengths in the header (RFC 1951, 3.2.7).
_CODE_LENGTH_ORDER = (16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15)

# How often symbols are used: the longest match so often that its code is a single bit, 0; then zero bytes, the other
# bytes of the numbers, and lengths, each extra bit twice as often because it covers twice as many lengths.
_LONGEST_WEIGHT, _ZERO_WEIGHT, _BYTE_WEIGHT, _LENGTH_WEIGHT = 2**20, 300, 100, 8


class Bits(NamedTuple):
    """Bits as an integer; the lowest bit comes first in the stream."""

    value: int
    length: int

    def then(self, other: Bits) -> Bits:
        """Appends other bits."""
        return Bits(self.value | other.value << self.length, self.length + other.length)


class Coder(NamedTuple):
    """Tables to write the runs of some numbers.

    Attributes:
        item: size of a number, in bytes.
        header: bits before the first run.
        end: bits after the last run.
        codes: uint64 [numbers, rests]: a number as literals, and the matches for the rest of its run after the longest
            matches. The longest matches follow; their bits are zeros.
        counts: int64 [numbers, rests]: number of bits in `codes`.
        sums: int64 [numbers]: sum of a number's bytes.
        weighted: int64 [numbers]: likewise, each byte times its index.
    """

    item: int
    header: Bits
    end: Bits
    codes: NDArray[np.uint64]
    counts: NDArray[np.int64]
    sums: NDArray[np.int64]
    weighted: NDArray[np.int64]


def deflate_runs(plane: NDArray[np.uint8], numbers: tuple[bytes, ...]) -> bytes:
    """Compresses an array of numbers.

    Args:
        plane: uint8, C order: for each item of the array, the index of its number.
        numbers: as they are in memory, all of the same size, 1 to 4 bytes.

    Returns:
        the zlib stream of the array.
    """
    if KERNEL is not None:
        stream: bytes = KERNEL.deflate_runs(plane, *_tables(numbers))
        return stream
    return _deflate_with_numpy(plane.reshape(-1), coder_for(numbers))


def _deflate_with_numpy(flat: NDArray[np.uint8], coder: Coder) -> bytes:
    starts = np.concatenate(([0], np.flatnonzero(flat[1:] != flat[:-1]) + 1))
    lengths = np.diff(starts, append=len(flat))
    values = flat[starts]
    repeated = (lengths - 1) * coder.item
    whole, rest = np.divmod(repeated, _LONGEST)
    short = (rest > 0) & (rest < 3) & (whole > 0)
    whole -= short
    rest += _LONGEST * short
    counts = coder.counts[values, rest]
    stops = np.cumsum(counts + 2 * whole)
    stream = _write(coder, coder.codes[values, rest], coder.header.length + stops - counts - 2 * whole, int(stops[-1]))
    return _ZLIB_HEADER + stream + _adler32(coder, starts, lengths, values, len(flat) * coder.item).to_bytes(4, "big")


def _write(coder: Coder, codes: NDArray[np.uint64], positions: NDArray[np.int64], bits: int) -> bytes:
    """Joins header, codes at their positions (in bits) and end; the bits between them are zeros."""
    end = coder.header.length + bits
    shifted = codes << (positions & 7).astype(np.uint64)
    places = (positions >> 3)[:, np.newaxis] + np.arange(8)
    # No two codes share a bit, so that adding them joins them.
    found = np.bincount(places.ravel(), shifted.astype("<u8").view(np.uint8), minlength=(end >> 3) + 8)
    size = -(-(end + coder.end.length) // 8)
    content = bytearray(found.astype(np.uint8)[:size].tobytes().ljust(size, b"\0"))
    for part, position in ((coder.header, 0), (coder.end, end)):
        first, last = position >> 3, (position + part.length + 7) >> 3
        whole = int.from_bytes(content[first:last], "little") | part.value << (position & 7)
        content[first:last] = whole.to_bytes(last - first, "little")
    return bytes(content)


def _adler32(
    coder: Coder, starts: NDArray[np.int64], lengths: NDArray[np.int64], values: NDArray[np.uint8], size: int
) -> int:
    """Computes the checksum of `size` bytes (RFC 1950, 8.2): their sum, and the sum of all partial sums."""
    low = 1 + int((lengths * coder.sums[values]).sum())
    before = starts * lengths + lengths * (lengths - 1) // 2
    counted = (size * lengths - coder.item * before) % _ADLER_MODULUS * coder.sums[values]
    high = size + int((counted - lengths * coder.weighted[values]).sum())
    return high % _ADLER_MODULUS << 16 | low % _ADLER_MODULUS


@functools.lru_cache(maxsize=16)
def coder_for(numbers: tuple[bytes, ...]) -> Coder:
    """Returns the tables for some numbers; see `deflate_runs`."""
    item = len(numbers[0])
    weights = dict.fromkeys(b"".join(numbers), _BYTE_WEIGHT) | {0: _ZERO_WEIGHT, _END: 1}
    weights |= {_FIRST_LENGTH + i: _LENGTH_WEIGHT << extra for i, extra in enumerate(_EXTRA_BITS)}
    lengths = code_lengths({**weights, _LONGEST_LENGTH: _LONGEST_WEIGHT})
    symbols = canonical_codes(lengths)
    # The distance is always the item's size: one bit, 0. A second code, which is not used, makes the code complete.
    distance = {item - 1: 1, item: 1}
    rows = [[_run_code(number, rest, symbols) for rest in range(_RESTS)] for number in numbers]
    return Coder(
        item,
        _block_header(lengths, distance),
        symbols[_END],
        np.array([[code.value for code in row] for row in rows], np.uint64),
        np.array([[code.length for code in row] for row in rows], np.int64),
        np.array([sum(number) for number in numbers], np.int64),
        np.array([sum(index * byte for index, byte in enumerate(number)) for number in numbers], np.int64),
    )


@functools.lru_cache(maxsize=16)
def _tables(numbers: tuple[bytes, ...]) -> tuple[NDArray[np.generic], ...]:
    """Returns the arguments of `_kernel.deflate_runs` after the first."""
    coder = coder_for(numbers)
    layout = np.array([coder.item, coder.header.length, *coder.end], np.int64)
    header = np.frombuffer(coder.header.value.to_bytes(-(-coder.header.length // 8), "little"), np.uint8)
    return layout, header, coder.codes, coder.counts, coder.sums, coder.weighted


def _run_code(number: bytes, rest: int, symbols: Mapping[int, Bits]) -> Bits:
    """Encodes a number and the rest of its run, in bytes: as matches, or as literals if it is too short for one."""
    code = Bits(0, 0)
    for byte in number + (number * rest)[:rest] if rest < 3 else number:
        code = code.then(symbols[byte])
    if rest > _LONGEST:
        return code.then(_match(rest - 3, symbols)).then(_match(3, symbols))
    return code.then(_match(rest, symbols)) if rest >= 3 else code


def _match(length: int, symbols: Mapping[int, Bits]) -> Bits:
    index = max(i for i, least in enumerate(_LENGTHS) if least <= length)
    extra = Bits(length - _LENGTHS[index], _EXTRA_BITS[index])
    return symbols[_FIRST_LENGTH + index].then(extra).then(Bits(0, 1))


def _block_header(lengths: Mapping[int, int], distance: Mapping[int, int]) -> Bits:
    """Writes the header of the last block, with its two codes (RFC 1951, 3.2.7)."""
    distances = max(distance) + 1
    every = [lengths.get(symbol, 0) for symbol in range(_LONGEST_LENGTH + 1)]
    every += [distance.get(symbol, 0) for symbol in range(distances)]
    tokens = _shorten_zeros(every)
    code = code_lengths({symbol: 1 + sum(one == symbol for one, _ in tokens) for symbol, _ in tokens})
    symbols = canonical_codes(code)
    listed = max(i for i, symbol in enumerate(_CODE_LENGTH_ORDER) if symbol in code) + 1
    header = Bits(1, 1).then(Bits(2, 2)).then(Bits(_LONGEST_LENGTH + 1 - 257, 5)).then(Bits(distances - 1, 5))
    header = header.then(Bits(listed - 4, 4))
    for symbol in _CODE_LENGTH_ORDER[:listed]:
        header = header.then(Bits(code.get(symbol, 0), 3))
    for symbol, extra in tokens:
        header = header.then(symbols[symbol]).then(extra)
    return header


def _shorten_zeros(lengths: Sequence[int]) -> list[tuple[int, Bits]]:
    """Turns code lengths into symbols with extra bits: 18 is 11 to 138 zeros, 17 is 3 to 10 zeros."""
    tokens: list[tuple[int, Bits]] = []
    index = 0
    while index < len(lengths):
        zeros = next((i for i, length in enumerate(lengths[index : index + 138]) if length), len(lengths[index:]))
        if zeros >= 11:
            tokens.append((18, Bits(min(zeros, 138) - 11, 7)))
        elif zeros >= 3:
            tokens.append((17, Bits(zeros - 3, 3)))
        else:
            zeros = 1
            tokens.append((lengths[index], Bits(0, 0)))
        index += min(zeros, 138)
    return tokens


def code_lengths(weights: Mapping[int, int]) -> dict[int, int]:
    """Computes the lengths of a Huffman code for two symbols or more, given how often each is used."""
    heap: list[tuple[int, tuple[int, ...]]] = [(weight, (symbol,)) for symbol, weight in weights.items()]
    heapq.heapify(heap)
    lengths = dict.fromkeys(weights, 0)
    while len(heap) > 1:
        first, second = heapq.heappop(heap), heapq.heappop(heap)
        for symbol in first[1] + second[1]:
            lengths[symbol] += 1
        heapq.heappush(heap, (first[0] + second[0], first[1] + second[1]))
    return lengths


def canonical_codes(lengths: Mapping[int, int]) -> dict[int, Bits]:
    """Returns the canonical code with these lengths (RFC 1951, 3.2.2); its highest bit comes first in the stream."""
    codes, code, before = {}, 0, 0
    for length, symbol in sorted((length, symbol) for symbol, length in lengths.items()):
        code <<= length - before
        codes[symbol] = Bits(int(f"{code:0{length}b}"[::-1], 2), length)
        code, before = code + 1, length
    return codes
