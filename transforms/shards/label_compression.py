"""Decides how labels are compressed in a shard. `maskmill.inflate` is the other end: what readers know of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from maskmill.transforms.shards.deflate_runs import deflate_runs

if TYPE_CHECKING:  # a process that only decodes examples does not need HDF5
    from h5py import h5p

# Declared in the file; readers ignore it.
_DEFLATE_LEVEL = 1
# Pixels of a channel for each compressed byte. Measured on masks like Severstal's at seven sizes from 16 x 16 to
# 512 x 1600, and too high at none of them.
PIXELS_PER_BYTE = 24


def compress_chunk(plane: NDArray[np.uint8], numbers: tuple[bytes, ...]) -> bytes:
    """Compresses a chunk of a label; arguments are those of `deflate_runs`."""
    return deflate_runs(plane, numbers)


def declare_compression(properties: h5p.PropDCID) -> None:
    """Declares, when a label is created, how its chunks are compressed."""
    properties.set_deflate(_DEFLATE_LEVEL)
