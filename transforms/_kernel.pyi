"""The functions of `kernel.c`. All arrays are in C order.

Raises:
    ValueError: the arrays do not fit together, or hold what they must not.
"""

import numpy as np
from numpy.typing import NDArray

def resize(
    target: NDArray[np.uint8],
    source: NDArray[np.uint8],
    first: NDArray[np.int32],
    high: NDArray[np.int16],
    low: NDArray[np.int16],
    /,
) -> None:
    """Resizes the lines of an image, rounds half to even, and clamps.

    Args:
        target: [height, width]; receives the result.
        source: [height, any].
        first: [width]: the first of the source's pixels in each pixel of a line of the target.
        high: [width, weights]: the weights of that and the next ones; at most 128, a multiple of 8. Behind the end of
            the line they must be 0, or meet zeros.
        low: likewise; a weight is (high * 2^14 + low) * 2^-28.
    """

def sum_blocks(
    blocks: NDArray[np.uint64],
    squares: NDArray[np.uint64],
    image: NDArray[np.uint8],
    rows: NDArray[np.int32],
    columns: NDArray[np.int32],
    /,
) -> None:
    """Sums the pixels of the blocks of a grid.

    Args:
        blocks: [down, across]; receives the sum of each block.
        squares: [1]; receives the sum of the squares of all pixels.
        image: [height, width]; at most 65,536 wide.
        rows: [down + 1]: first row of each block, ascending from 0; at the end, height.
        columns: [across + 1], likewise.
    """

def draw_down(
    plane: NDArray[np.uint8],
    runs: NDArray[np.int64],
    rows: NDArray[np.int32],
    columns: NDArray[np.int32],
    /,
) -> None:
    """Draws runs that go down the columns of an image, resized to the nearest neighbour.

    Args:
        plane: [height, width]; receives 1 where a run is, and 0 elsewhere.
        runs: [runs, 2]: start (from 1) and length in the image, ascending by start; they may overlap.
        rows: [rows of the image + 1]: for each, the first row of the plane that shows it or a later one; at the end,
            height.
        columns: likewise.
    """

def draw_along(
    plane: NDArray[np.uint8],
    runs: NDArray[np.int64],
    rows: NDArray[np.int32],
    columns: NDArray[np.int32],
    /,
) -> None:
    """Draws runs that go along the rows of an image; the arguments are those of `draw_down`."""

def deflate_runs(
    plane: NDArray[np.uint8],
    layout: NDArray[np.int64],
    header: NDArray[np.uint8],
    codes: NDArray[np.uint64],
    counts: NDArray[np.int64],
    sums: NDArray[np.int64],
    weighted: NDArray[np.int64],
    /,
) -> bytes:
    """Compresses an array of numbers; see `maskmill.transforms.shards.deflate_runs.Coder`.

    Args:
        plane: of any shape: the indices of the numbers.
        layout: [4]: size of a number in bytes, bits of the header, code of the end, its bits.
        header: bytes of the header.
        codes: [numbers, 261].
        counts: [numbers, 261].
        sums: [numbers].
        weighted: [numbers].
    """
