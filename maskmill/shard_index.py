"""Finds the bytes of every example of a shard, so that HDF5 is asked once a shard instead of once an example.

With the layout `arrays` it lists the chunks of an array at once; with `groups`, each example has arrays of its own.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import NamedTuple

import h5py
import numpy as np
from h5py import h5d, h5f, h5t
from numpy.typing import NDArray

from maskmill.inflate import deflated_chunk_shape, plain_chunk_shape
from maskmill.names import IMAGE, IMAGE_IDS, LABEL, N_EXAMPLES, ROWS_OF, group_name
from maskmill.stored_array import has_arrays
from maskmill.views import Views, recorded_views

# What h5py raises for a file that is not HDF5, is damaged, or has another structure.
DAMAGE = (OSError, KeyError, RuntimeError, ValueError, TypeError)


def is_of_system(error: Exception) -> bool:
    """Whether the system or a store has failed, and not HDF5, which raises OSError itself, without a number."""
    return isinstance(error, OSError) and (type(error) is not OSError or error.errno is not None)


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
        label: of the labels, likewise; None if there are none.
        image_ids: file names of the images; empty in a file of create_hdf5_files.py, which does not record them.
        views: what the examples show of their images; None if the file does not record it.
    """

    image: ArrayIndex | None
    label: ArrayIndex | None
    image_ids: tuple[str, ...]
    views: Views | None = None


def index_shard(file: h5py.File, examples: int, *, labelled: bool = True) -> ShardIndex:
    """Asks HDF5 where everything is stored.

    Args:
        file: the shard.
        examples: expected number of examples.
        labelled: whether they have labels.

    Raises:
        DAMAGE: the file is not a shard with that number of examples.
    """
    image_ids = tuple([bytes(name).decode() for name in file.attrs.get(IMAGE_IDS, ())])
    if int(file.attrs[N_EXAMPLES]) != examples:
        raise ValueError(f"it has {file.attrs[N_EXAMPLES]} examples instead of {examples}")
    views = recorded_views(file.attrs, examples)
    if has_arrays(file):
        images = _index_rows(file.id, ROWS_OF[IMAGE], examples)
        labels = _index_rows(file.id, ROWS_OF[LABEL], examples) if labelled else None
        return ShardIndex(images, labels, image_ids, views)
    image, label = _Places(IMAGE, examples), _Places(LABEL, examples)
    # Example by example, which is the order in the file: matters if it is remote.
    for index in range(examples):
        image.add(index, file.id)
        if labelled:
            label.add(index, file.id)
    return ShardIndex(image.index(), label.index(), image_ids, views)


class _Places:
    """Collects where one array of each example is stored.

    Args:
        name: `image` or `label`.
        examples: number of examples.
    """

    def __init__(self, name: str, examples: int) -> None:
        self._name = name
        self._examples = examples
        self._index: ArrayIndex | None = None
        self._type: h5t.TypeID  # of the first array

    def add(self, example: int, file: h5f.FileID) -> None:
        """Adds the array of the next example."""
        array = h5d.open(file, f"{group_name(example)}/{self._name}".encode())
        if example == 0:
            self._index = self._begin(array)
        elif self._index and (array.shape != self._index.shape or array.get_type() != self._type):
            self._index = None
        if self._index:
            places = _places_of(array, self._index)
            if places is None:
                self._index = None
            else:
                self._index.places[example] = places

    def index(self) -> ArrayIndex | None:
        """Returns the result; None if HDF5 has to read the arrays."""
        return self._index

    def _begin(self, first: h5d.DatasetID) -> ArrayIndex:
        self._type = first.get_type()
        chunk_shape = deflated_chunk_shape(first)
        chunks = _corners(first.shape, chunk_shape or first.shape)
        places = np.empty((self._examples, len(chunks), 2), np.int64)
        return ArrayIndex(first.dtype, first.shape, chunk_shape, chunks, places)


def _places_of(array: h5d.DatasetID, index: ArrayIndex) -> list[tuple[int, int]] | None:
    """Returns offset and length of each chunk; None if the array is stored in another way than the first."""
    if index.chunk_shape is None:
        # Only what is in one piece has an offset.
        offset = array.get_offset()
        return None if offset is None else [(offset, index.dtype.itemsize * math.prod(index.shape))]
    if deflated_chunk_shape(array) != index.chunk_shape:
        return None
    found = [array.get_chunk_info_by_coord(chunk) for chunk in index.chunks]
    if any(info.filter_mask or info.byte_offset is None for info in found):
        return None
    return [(info.byte_offset, info.size) for info in found]


def _corners(shape: tuple[int, ...], chunk_shape: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
    """Returns the offsets of the chunks of an array, in their order."""
    return tuple(itertools.product(*(range(0, n, step) for n, step in zip(shape, chunk_shape, strict=True))))


def _index_rows(file: h5f.FileID, name: str, examples: int) -> ArrayIndex | None:
    """Indexes an array with a row for each example; None if HDF5 has to read it.

    Raises:
        ValueError: it has another number of rows, or chunks are missing.
    """
    array = h5d.open(file, name.encode())
    rows, *shape = array.shape
    if rows != examples:
        raise ValueError(f"it has {rows} {name} instead of {examples}")
    deflated = deflated_chunk_shape(array)
    step, *chunk_shape = deflated or plain_chunk_shape(array) or (0,)
    if not examples or step != 1 or (deflated is None and chunk_shape != shape):
        return None
    corners = _corners(tuple(shape), tuple(chunk_shape))
    found = _list_chunks(array, corners)
    if any(one.filter_mask for one in found):
        return None
    if len(found) != examples * len(corners):
        raise ValueError(f"{name} has {len(found)} chunks instead of {examples * len(corners)}")
    places = _sort_chunks(found, array.shape, (1, *chunk_shape)).reshape(examples, len(corners), 2)
    return ArrayIndex(array.dtype, tuple(shape), deflated and tuple(chunk_shape), corners, places)


def _list_chunks(array: h5d.DatasetID, corners: tuple[tuple[int, ...], ...]) -> list[h5d.StoreInfo]:
    found: list[h5d.StoreInfo] = []
    if hasattr(array, "chunk_iter"):
        array.chunk_iter(found.append)
    else:  # HDF5 before 1.12.3
        every = (array.get_chunk_info_by_coord((row, *corner)) for row in range(array.shape[0]) for corner in corners)
        found += [one for one in every if one.byte_offset is not None]
    return found


def _sort_chunks(
    found: Sequence[h5d.StoreInfo], shape: tuple[int, ...], chunk_shape: tuple[int, ...]
) -> NDArray[np.int64]:
    """Returns offset in the file and length of each chunk, int64 [chunks, 2], in C order of the chunks."""
    grid = [-(-n // step) for n, step in zip(shape, chunk_shape, strict=True)]
    numbers = np.ravel_multi_index(tuple((np.array([one.chunk_offset for one in found]) // chunk_shape).T), grid)
    places = np.empty((len(found), 2), np.int64)
    places[numbers] = [(one.byte_offset, one.size) for one in found]
    return places
