"""Converts run-length encoded masks: text to runs, runs to a mask, and back.

The format is that of the competition: pairs `start length` separated by spaces; pixels are numbered from 1, down each
column, then from left to right (Kaggle, Severstal: Steel Defect Detection, "Evaluation").
"""

from __future__ import annotations

import re
import zlib
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from maskmill.transforms.limits import MAX_ELEMENT_BYTES
from maskmill.transforms.rejected import Code, DataError

Runs = NDArray[np.int64]
Mask = NDArray[np.uint8]
# The masks of several classes in one array, a bit for each class; see `label.LabelFormat`.
ClassMask = NDArray[np.unsignedinteger[Any]]

# A larger number is past the end of every image that can be read, and `fromstring` saturates if a number does not fit
# into a long of the platform.
MAX_NUMBER = 2**31 - 2
_NUMBER_BYTES = b"0123456789 \t"


def parse_runs(text: str) -> Runs:
    """Parses `EncodedPixels`, and checks what can be checked without the image.

    Args:
        text: pairs `start length`, or `-1` for an empty mask.

    Returns:
        int64 [runs, 2]: start (from 1) and length, in pixels, in the order of the text.

    Raises:
        DataError: the text is not an even number of positive whole numbers.
    """
    if text.strip() == "-1":
        return np.empty((0, 2), np.int64)
    if text.encode("utf-8", "replace").translate(None, _NUMBER_BYTES):
        _explain_bad_number(text)
    numbers = np.fromstring(text, dtype=np.int64, sep=" ")
    if numbers.size % 2:
        raise DataError(
            Code.RLE_ODD_COUNT,
            f"the mask has {numbers.size} numbers, but runs are pairs of start and length; complete or remove the last",
        )
    runs = numbers.reshape(-1, 2)
    _check_run_numbers(runs)
    return runs


def _explain_bad_number(text: str) -> NoReturn:
    # Not split(): a mask may have many megabytes. Words are looked at one at a time, up to the bad one.
    for number, found in enumerate(re.finditer(r"\S+", text), start=1):
        word = found[0]
        if re.fullmatch(r"-[0-9]+", word):
            code, name = (Code.RLE_BAD_START, "start") if number % 2 else (Code.RLE_BAD_LENGTH, "length")
            raise DataError(code, f"run {(number + 1) // 2} has the {name} {_shorten(word)}; the least is 1")
        if not re.fullmatch(r"[0-9]+", word):
            problem = f"the mask's word {number} is {_shorten(word)!r}"
            raise DataError(Code.RLE_NOT_NUMBERS, f"{problem}; a mask is whole numbers separated by spaces")
    raise DataError(Code.RLE_NOT_NUMBERS, "the mask's numbers are separated by something other than spaces")


def _check_run_numbers(runs: Runs) -> None:
    # Not min() and max(), which take twice as long for the few numbers of a usual mask.
    if runs.size == 0 or (np.minimum.reduce(runs, None) >= 1 and np.maximum.reduce(runs, None) <= MAX_NUMBER):
        return
    index = int(np.flatnonzero((runs < 1).any(axis=1) | (runs > MAX_NUMBER).any(axis=1))[0])
    start, length = runs[index].tolist()
    if start < 1:
        raise DataError(Code.RLE_BAD_START, f"run {index + 1} starts at pixel {start}; pixels are numbered from 1")
    if length < 1:
        raise DataError(Code.RLE_BAD_LENGTH, f"run {index + 1} has the length {length}; the least is 1")
    raise DataError(
        Code.RLE_OUT_OF_BOUNDS,
        f"run {index + 1} ({start} {length}) has a number above {MAX_NUMBER}, past any image",
    )


def _shorten(word: str, limit: int = 40) -> str:
    return word if len(word) <= limit else f"{word[:limit]}…"


def pack_runs(runs: Runs) -> bytes:
    """Packs runs for a shuffle: differences between neighbours, deflated; about 2 bytes a run instead of 16.

    Raises:
        DataError: the packed runs are larger than `MAX_ELEMENT_BYTES`.
    """
    differences = runs.astype("<i4")
    np.subtract(runs[1:], runs[:-1], out=differences[1:], casting="same_kind")
    packed = zlib.compress(differences.tobytes(), 1)
    if len(packed) > MAX_ELEMENT_BYTES:
        raise DataError(
            Code.RLE_TOO_LONG,
            f"the mask has {len(runs)} runs, which are {len(packed)} bytes when packed; the limit is "
            f"{MAX_ELEMENT_BYTES}; merge runs that touch or overlap",
        )
    return packed


# The packed runs of an empty mask.
EMPTY_RUNS = pack_runs(np.empty((0, 2), np.int64))


def unpack_runs(packed: bytes) -> Runs:
    """Inverts `pack_runs`: int64 [runs, 2]."""
    differences = np.frombuffer(zlib.decompress(packed), "<i4").reshape(-1, 2)
    return np.cumsum(differences, axis=0, dtype=np.int64)


def runs_to_mask(runs: Runs, height: int, width: int) -> Mask:
    """Draws runs as a mask; runs may overlap and be in any order.

    Args:
        runs: [runs, 2]: start (from 1) and length, in pixels.
        height: of the image, in pixels.
        width: of the image, in pixels.

    Returns:
        uint8 [height, width] of 0 and 1: a view of an array in column order.

    Raises:
        DataError: a run ends past the image's last pixel.
    """
    check_bounds(runs, height, width)
    edges = np.concatenate(([0], covered_intervals(runs).ravel(), [height * width]))
    numbers = np.zeros(len(edges) - 1, np.uint8)
    numbers[1::2] = 1
    return np.repeat(numbers, np.diff(edges)).reshape(width, height).T


def check_bounds(runs: Runs, height: int, width: int) -> None:
    """Raises DataError when a run ends past the last of height * width pixels."""
    ends = runs.sum(axis=1) - 1
    past = np.flatnonzero(ends > height * width)
    if past.size:
        raise DataError(
            Code.RLE_OUT_OF_BOUNDS,
            f"run {past[0] + 1} ends at pixel {ends[past[0]]}, past the image's {height * width} "
            f"({height} x {width}); correct the run, or use the image that it was made for",
        )


def covered_intervals(runs: Runs) -> NDArray[np.int64]:
    """Sorts runs and removes overlaps: int64 [runs, 2] of first pixel, from 0, and end."""
    runs = runs[np.argsort(runs[:, 0], kind="stable")]
    starts = runs[:, 0] - 1
    ends = np.maximum.accumulate(starts + runs[:, 1])
    # Pixels of an earlier run are left to it, so that the image bounds the work, not the text.
    starts[1:] = np.maximum(starts[1:], ends[:-1])
    return np.stack([starts, ends], axis=1)


def mask_to_runs(mask: NDArray[np.generic]) -> Runs:
    """Encodes a mask as sorted runs that do not touch each other.

    Args:
        mask: [height, width]; pixels other than 0 are defects.

    Returns:
        int64 [runs, 2]: start (from 1) and length, in pixels.
    """
    flat = np.zeros(mask.size + 2, np.int8)
    flat[1:-1] = (mask != 0).ravel(order="F")
    edges = np.flatnonzero(np.diff(flat))
    return np.stack([edges[::2] + 1, edges[1::2] - edges[::2]], axis=1)


def format_runs(runs: Runs) -> str:
    """Inverts `parse_runs` for a mask that is not empty: `start length start length …`."""
    return " ".join(map(str, runs.ravel().tolist()))
