"""Measures an example while its pixels are at hand: sums of the image, a hash of how it looks, areas of the classes.

All are integers, and exact: numbers of a whole split made from them do not depend on the order of the examples.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from maskmill.transforms.examples.label import LabelFormat
from maskmill.transforms.kernel import KERNEL

# Blocks of a difference hash, downwards and across: 64 pairs of neighbours.
GRID = (8, 9)
# The widest image whose lines `kernel.c` sums.
_KERNEL_WIDTH = 2**16


class Measures(NamedTuple):
    """What is measured of an example.

    Attributes:
        areas: number of pixels of each class that the label distinguishes, int64 [classes]; see
            `LabelFormat.num_areas`.
        pixel_sums: for each channel of the image, sum of the pixels, and sum of their squares; one after the other.
        image_hash: difference hash of the image, 64 bits; see `difference_hash`.
    """

    areas: NDArray[np.int64]
    pixel_sums: tuple[int, ...]
    image_hash: int


class ImageSums(NamedTuple):
    """Sums of a plane: of the pixels of each block, uint64 [8, 9]; of all pixels; of all squares."""

    blocks: NDArray[np.uint64]
    pixels: int
    squares: int


def count_areas(part: NDArray[np.generic], form: LabelFormat, channel: int = 0) -> NDArray[np.int64]:
    """Counts the pixels of each class in a label, or in a part of it.

    Args:
        part: [channels, rows, W] for the losses bce and multilabel_bce, [rows, W] for ssce.
        form: of the label.
        channel: index of the part's first channel in the label.

    Returns:
        int64 [form.num_areas].
    """
    areas = np.zeros(form.num_areas, np.int64)
    if form.loss == "ssce":
        left = _count(part)
        for index in range(form.num_areas):
            if left:  # mostly there is no class, or one
                areas[index] = np.count_nonzero(part == index + 1)
                left -= areas[index]
        return areas
    background = 1 if form.loss == "multilabel_bce" else 0
    for index, plane in enumerate(part, start=channel - background):
        if 0 <= index < form.num_areas:
            areas[index] = _count(plane)
    return areas


def _count(plane: NDArray[np.generic]) -> int:
    """Counts the pixels that are not 0."""
    # Most planes have none, which their maximum shows in a quarter of the time.
    return int(np.count_nonzero(plane)) if plane.max() else 0


def measure(image: NDArray[np.uint8], areas: NDArray[np.int64]) -> Measures:
    """Measures an image.

    Args:
        image: uint8 [channels, H, W], C order.
        areas: of its label.
    """
    sums, image_hash = measure_image(image)
    return Measures(areas, sums, image_hash)


def measure_image(image: NDArray[np.uint8]) -> tuple[tuple[int, ...], int]:
    """Returns `pixel_sums` and `image_hash` of an image [channels, H, W]; see `Measures`."""
    sums = [sum_blocks(plane) for plane in image]
    blocks = sums[0].blocks if len(sums) == 1 else np.sum([one.blocks for one in sums], axis=0)
    pixel_sums = tuple(number for one in sums for number in (one.pixels, one.squares))
    return pixel_sums, difference_hash(blocks, *image.shape[1:])


def difference_hash(blocks: NDArray[np.uint64], height: int, width: int) -> int:
    """Computes the difference hash of an image: equal images have equal hashes, similar ones differ in a few bits.

    The image is divided into blocks, 8 rows of 9. Bit 8 * row + column is 1 if the mean of a block is less than that of
    its right neighbour (Neal Krawetz, "Kind of Like That", 2013, http://www.hackerfactor.com/blog/?/archives/529). The
    hash of an image with several channels is that of their mean, so a grey image has the same one with any number.

    Args:
        blocks: sums of the pixels of the blocks, of all channels together, uint64 [8, 9]; see `sum_blocks`.
        height: of the image, in pixels.
        width: of the image, in pixels.
    """
    widths = _grid(height, width).widths
    # Means of one height, multiplied by both widths.
    darker = blocks[:, :-1] * widths[1:] < blocks[:, 1:] * widths[:-1]
    return int.from_bytes(np.packbits(darker, axis=None, bitorder="little").tobytes(), "little")


def sum_blocks(image: NDArray[np.uint8]) -> ImageSums:
    """Sums the pixels of a plane in blocks, 8 rows of 9 that cover it and are as nearly equal as possible.

    In an image with fewer rows or columns than that, neighbouring blocks have the same ones.

    Args:
        image: uint8 [H, W], C order.
    """
    grid = _grid(*image.shape)
    if KERNEL is None or grid.repeats or image.shape[1] > _KERNEL_WIDTH:
        return _sum_with_numpy(image, grid)
    blocks, squares = np.empty(GRID, np.uint64), np.empty(1, np.uint64)
    KERNEL.sum_blocks(blocks, squares, image, grid.rows, grid.columns)
    return ImageSums(blocks, int(blocks.sum()), int(squares[0]))


class _Grid(NamedTuple):
    """Where the blocks of an image begin, and at the end its size: int32 [9] and [10]; and their widths, uint64 [9].

    `repeats` tells whether blocks have the same pixels.
    """

    rows: NDArray[np.int32]
    columns: NDArray[np.int32]
    widths: NDArray[np.uint64]
    repeats: bool


@functools.lru_cache(maxsize=16)
def _grid(height: int, width: int) -> _Grid:
    rows, columns = (
        (np.arange(count + 1) * size // count).astype(np.int32)
        for count, size in zip(GRID, (height, width), strict=True)
    )
    widths = np.maximum(np.diff(columns), 1).astype(np.uint64)
    return _Grid(rows, columns, widths, height < GRID[0] or width < GRID[1])


def _sum_with_numpy(image: NDArray[np.uint8], grid: _Grid) -> ImageSums:
    # Where a block is empty, `reduceat` takes its first pixel.
    strips = np.add.reduceat(image, grid.rows[:-1], axis=0, dtype=np.uint64)
    blocks = np.add.reduceat(strips, grid.columns[:-1], axis=1)
    squares = np.square(image, dtype=np.uint16).sum(dtype=np.uint64)
    return ImageSums(blocks, int(image.sum(dtype=np.uint64)), int(squares))
