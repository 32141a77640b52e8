"""Finds the bytes of every example of a shard, so that HDF5 is asked once a shard instead of once an example."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import h5py
import numpy as np
from h5py import h5d, h5g, h5z
from numpy.typing import NDArray

from maskmill.names import IMAGE, IMAGE_IDS, LABEL, N_EXAMPLES, group_name

# What h5py raises for a file that is not HDF5, is damaged, or has another structure.
DAMAGE = (OSError, KeyError, RuntimeError, ValueError, TypeError)


class ArrayIndex(NamedTuple):
    """Where one array (image or label) of each example is stored.

    Attributes:
        dtype: of the array.
        shape: of the array.
        chunk_shape: shape of the deflated chunks; None if the array is stored in one piece, as it is.
        chunks: offset of each chunk in the array, in their order.
        places: int64 [examples, chunks, 2]: offset in the file and length of each chunk, in bytes.
    """

    dtype: np.dtype[np.generic]
    shape: tuple[int, ...]
    chunk_shape: tuple[int, ...] | None
    chunks: tuple[tuple[int, ...], ...]
    places: NDArray[np.int64]


class ShardIndex(NamedTuple):
    """Where the examples of a shard are stored.

    Attributes:
        image: of the images; None if they are stored in an unknown way and HDF5 has to read them.
        label: of the labels, likewise.
        image_ids: file names of the images; empty in a file of create_hdf5_files.py, which does not record them.
    """

    image: ArrayIndex | None
    label: ArrayIndex | None
    image_ids: tuple[str, ...]


def index_shard(file: h5py.File, examples: int) -> ShardIndex:
    """Asks HDF5 where everything is stored.

    Args:
        file: the shard.
        examples: expected number of examples.

    Raises:
        DAMAGE: the file is not a shard with that number of examples.
    """
    image_ids = tuple([bytes(name).decode() for name in file.attrs.get(IMAGE_IDS, ())])
    if int(file.attrs[N_EXAMPLES]) != examples:
        raise ValueError(f"it has {file.attrs[N_EXAMPLES]} examples instead of {examples}")
    groups = [h5g.open(file.id, group_name(index).encode()) for index in range(examples)]
    return ShardIndex(_index_array(groups, IMAGE), _index_array(groups, LABEL), image_ids)


def _index_array(groups: Sequence[h5g.GroupID], name: str) -> ArrayIndex | None:
    arrays = (h5d.open(group, name.encode()) for group in groups)
    first = next(arrays, None)
    if first is None:
        return None
    chunk_shape = _chunk_shape(first)
    if chunk_shape is None and first.get_create_plist().get_layout() != h5d.CONTIGUOUS:
        return None
    steps = [range(0, n, step) for n, step in zip(first.shape, chunk_shape or first.shape, strict=True)]
    chunks = tuple(itertools.product(*steps))
    kind, size = first.get_type(), first.dtype.itemsize * int(np.prod(first.shape))
    places = np.empty((len(groups), len(chunks), 2), np.int64)
    for index, array in enumerate(itertools.chain([first], arrays)):
        if array.shape != first.shape or array.get_type() != kind or _chunk_shape(array) != chunk_shape:
            return None
        found = [(array.get_offset(), size)] if chunk_shape is None else _chunks(array, chunks)
        if found is None or None in found[0]:
            return None
        places[index] = found
    return ArrayIndex(first.dtype, first.shape, chunk_shape, chunks, places)


def _chunk_shape(array: h5d.DatasetID) -> tuple[int, ...] | None:
    """Shape of an array's chunks; None unless deflate is their only filter."""
    properties = array.get_create_plist()
    if properties.get_layout() != h5d.CHUNKED or properties.get_nfilters() != 1:
        return None
    shape: tuple[int, ...] = properties.get_chunk()
    return shape if properties.get_filter(0)[0] == h5z.FILTER_DEFLATE else None


def _chunks(array: h5d.DatasetID, chunks: Sequence[tuple[int, ...]]) -> list[tuple[int, int]] | None:
    found = [array.get_chunk_info_by_coord(chunk) for chunk in chunks]
    if any(info.filter_mask or info.byte_offset is None for info in found):
        return None
    return [(info.byte_offset, info.size) for info in found]
