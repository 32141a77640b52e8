"""Resizes like the original: bicubic with antialiasing for images, nearest neighbour for masks.

An image is multiplied by a band matrix on each side. The weights are those of torch's `upsample_bicubic2d_aa`
(a = -0.5, computed in float32 in the same order). The products are computed in float64 with weights and intermediate
values rounded to fixed-point numbers. Every partial sum is exact, and the result the same on every CPU, with every
BLAS, and with the compiled kernel, which computes with the same weights as integers where only the width changes.
"""

from __future__ import annotations

import functools
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from maskmill.transforms.examples.rle import ClassMask
from maskmill.transforms.kernel import KERNEL

Item = TypeVar("Item", bound=np.generic)

# Sums stay below 2^9, so that a product of the second pass needs 9 + 28 + 16 = 53 bits, as many as a float64 has.
_WEIGHT_UNIT = 2.0**28
_VALUE_UNIT = 2.0**16
# Output pixels that are computed from one slice of the input: more multiply more zeros, fewer take more calls.
_GROUP = 16
# Of the kernel: see `_kernel.resize`.
_LOW_BITS, _LANES, _MOST_WEIGHTS = 14, 8, 128
# Lines of an array that are transposed at a time: 64 bytes fill a cache line.
_TRANSPOSED_LINES = 64


class _Band(NamedTuple):
    """Output pixels start to stop: input pixels first to last times weights, float64 [last - first, stop - start]."""

    start: int
    stop: int
    first: int
    last: int
    weights: NDArray[np.float64]


def resize_bicubic(pixels: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    """Resizes an image: bicubic with antialiasing, clamped, rounded half to even.

    Args:
        pixels: uint8 array [any, any].
        height: of the result, in pixels.
        width: of the result, in pixels.

    Returns:
        uint8 array [height, width].
    """
    if pixels.shape == (height, width):
        return pixels
    if KERNEL is not None and len(pixels) == height and (parts := _weight_parts(pixels.shape[1], width)):
        resized = np.empty((height, width), np.uint8)
        KERNEL.resize(resized, np.ascontiguousarray(pixels), *parts)
        return resized
    values = _resize_columns(pixels, width)
    if height != pixels.shape[0]:
        values = np.rint(values * _VALUE_UNIT) / _VALUE_UNIT
        values = _resize_columns(values.T, height).T
    return np.ascontiguousarray(np.rint(values).clip(0, 255), np.uint8)


def _resize_columns(values: NDArray[np.generic], width: int) -> NDArray[np.float64]:
    if values.shape[1] == width:
        return values.astype(np.float64)
    resized = np.empty((values.shape[0], width))
    for band in _bands(values.shape[1], width):
        part = values[:, band.first : band.last].astype(np.float64)
        np.matmul(part, band.weights, out=resized[:, band.start : band.stop])
    return resized


@functools.lru_cache(maxsize=64)
def _bands(size_in: int, size_out: int) -> tuple[_Band, ...]:
    bands = []
    for start in range(0, size_out, _GROUP):
        rows = [bicubic_weights(size_in, size_out, index) for index in range(start, min(start + _GROUP, size_out))]
        first, last = min(row[0] for row in rows), max(row[0] + len(row[1]) for row in rows)
        weights = np.zeros((last - first, len(rows)))
        for column, (begin, row) in enumerate(rows):
            weights[begin - first : begin - first + len(row), column] = np.rint(row * _WEIGHT_UNIT) / _WEIGHT_UNIT
        bands.append(_Band(start, start + len(rows), first, last, weights))
    return tuple(bands)


@functools.lru_cache(maxsize=64)
def _weight_parts(size_in: int, size_out: int) -> tuple[NDArray[np.generic], ...] | None:
    """Returns the arguments `first`, `high` and `low` of `_kernel.resize`; None if there are too many weights."""
    found = [bicubic_weights(size_in, size_out, index) for index in range(size_out)]
    most = max(len(weights) for _, weights in found)
    if most > _MOST_WEIGHTS:
        return None
    whole = np.zeros((size_out, -(-most // _LANES) * _LANES), np.int64)
    for index, (_, weights) in enumerate(found):
        whole[index, : len(weights)] = np.rint(weights * _WEIGHT_UNIT)
    high = (whole + 2 ** (_LOW_BITS - 1)) >> _LOW_BITS
    low = whole - (high << _LOW_BITS)
    return np.array([first for first, _ in found], np.int32), high.astype(np.int16), low.astype(np.int16)


def bicubic_weights(size_in: int, size_out: int, index: int) -> tuple[int, NDArray[np.float64]]:
    """Weights of the input pixels in one output pixel of an antialiased bicubic resize, as torch computes them.

    Args:
        size_in: size of the source, in pixels.
        size_out: size of the target, in pixels.
        index: of the output pixel.

    Returns:
        the first input pixel, and float64 array [pixels] of the weights, which are float32 numbers.
    """
    scale = np.float32(size_in) / np.float32(size_out)
    stretch = max(scale, np.float32(1))
    center = scale * (np.float32(index) + np.float32(0.5))
    first = max(int(center - np.float32(2) * stretch + np.float32(0.5)), 0)
    last = min(int(center + np.float32(2) * stretch + np.float32(0.5)), size_in)
    distance = (np.arange(first, last, dtype=np.float32) - center + np.float32(0.5)) * (np.float32(1) / stretch)
    weights = _cubic(np.abs(distance))
    # cumsum adds in sequence, as torch does; sum does not.
    return first, (weights / np.cumsum(weights, dtype=np.float32)[-1]).astype(np.float64)


def _cubic(x: NDArray[np.float32]) -> NDArray[np.float32]:
    """Keys' cubic convolution kernel with a = -0.5 (IEEE Trans. ASSP 29, 1981), for distances from 0."""
    a = np.float32(-0.5)
    near = ((a + 2) * x - (a + 3)) * x * x + 1
    far = (((x - 5) * x + 8) * x - 4) * a
    return np.where(x < 1, near, np.where(x < 2, far, np.float32(0))).astype(np.float32)


def nearest_index(size_in: int, size_out: int) -> NDArray[np.int64]:
    """Computes the source index of each target index in a nearest-neighbour resize, in float32 like torch.

    Args:
        size_in: size of the source, in pixels.
        size_out: size of the target, in pixels.

    Returns:
        int64 array [size_out], each in 0 … size_in - 1.
    """
    scale = np.float32(size_in) / np.float32(size_out)
    index = np.floor(np.arange(size_out, dtype=np.float32) * scale).astype(np.int64)
    return np.asarray(np.minimum(index, size_in - 1))


def tile(pixels: NDArray[Item], height: int, width: int) -> NDArray[Item]:
    """Repeats an image or a mask up to a larger size: out[y, x] = pixels[y % h, x % w], [height, width], C order."""
    if pixels.shape == (height, width):
        return pixels
    rows, columns = pixels.shape
    lines = np.empty((rows, width), pixels.dtype)
    for left in range(0, width, columns):
        lines[:, left : left + columns] = pixels[:, : width - left]
    tiled = np.empty((height, width), pixels.dtype)
    for top in range(0, height, rows):
        tiled[top : top + rows] = lines[: height - top]
    return tiled


def resize_mask(mask: ClassMask, height: int, width: int) -> ClassMask:
    """Resizes a mask to the nearest neighbour.

    Args:
        mask: [any, any].
        height: of the result, in pixels.
        width: of the result, in pixels.

    Returns:
        array [height, width], C order.
    """
    # Columns first: a mask drawn from runs is in column order in memory.
    return _pick(_transpose(_pick(mask.T, width)), height)


def _transpose(lines: ClassMask) -> ClassMask:
    """Transposes an array into C order, in parts whose lines stay in the cache: four times as fast as one copy."""
    columns = np.empty(lines.shape[::-1], lines.dtype)
    for first in range(0, len(lines), _TRANSPOSED_LINES):
        columns[:, first : first + _TRANSPOSED_LINES] = lines[first : first + _TRANSPOSED_LINES].T
    return columns


def _pick(lines: ClassMask, size: int) -> ClassMask:
    return lines if len(lines) == size else lines[nearest_index(len(lines), size)]
