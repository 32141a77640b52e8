"""Reads the examples of one shard: their bytes directly from the file, inflating labels without HDF5."""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import h5py
import numpy as np
from numpy.typing import NDArray

from maskmill.catalog import Shard
from maskmill.errors import DatasetError
from maskmill.folder import Folder, OpenFile, Read
from maskmill.inflate import inflate, inflate_into
from maskmill.names import ARRAYS, IMAGE
from maskmill.shard_index import DAMAGE, ArrayIndex, index_shard, is_of_system
from maskmill.stored_array import StoredArray, stored_array
from maskmill.views import Views

# Arrays that are at most so far from each other in the file are read at once.
_GAP_BYTES = 4096
# What a request to a store fetches of the index of a shard with the layout `arrays`, which is together at the beginning
# of the file; the attributes are at its end. With `groups` it is all over the file.
_INDEX_BYTES = 2**18


class Begun(NamedTuple):
    """An example that is being read: perform the reads, then call `finish`.

    Attributes:
        reads: bytes to read from the file.
        finish: completes the arrays; raises DatasetError if what was read is damaged.
    """

    reads: Sequence[Read]
    finish: Callable[[], None]


class ShardReader:
    """Reads a shard, in one process.

    Args:
        folder: folder of the dataset.
        shard: the shard to read.

    Raises:
        DatasetError: the file is damaged, or was replaced.
        OSError: the file cannot be read.
    """

    def __init__(self, folder: Folder, shard: Shard) -> None:
        self._folder = folder
        self._shard = shard
        self._opened: OpenFile | None = None
        self._version: object = None
        self._hdf5: h5py.File | None = None
        with self._file().for_hdf5(_INDEX_BYTES if shard.layout == ARRAYS else None) as file:
            try:
                with h5py.File(file) as hdf5:
                    self._index = index_shard(hdf5, shard.examples, labelled=shard.labelled)
            except DAMAGE as error:
                if is_of_system(error):
                    raise
                advice = "copy the dataset again, or make it again"
                raise DatasetError(f"{shard.path} is damaged ({error}); {advice}") from error

    @property
    def image_ids(self) -> tuple[str, ...]:
        """File names of the images; empty if the shard does not record them."""
        return self._index.image_ids

    @property
    def views(self) -> Views | None:
        """What the examples show of their images; None if the shard does not record it."""
        return self._index.views

    def form(self, name: str) -> tuple[np.dtype[np.generic], tuple[int, ...]]:
        """Returns dtype and shape of an array, `image` or `label`."""
        index = self._where(name)
        if index is not None:
            return index.dtype, index.shape
        array = self._with_hdf5(0, name)
        return array.dtype, array.shape

    def begin(self, example: int, targets: Mapping[str, NDArray[Any]]) -> Begun:
        """Prepares to read arrays of an example.

        Args:
            example: index in the shard.
            targets: for `image`, `label` or both, the array to fill; C order, the same shape. Values are converted to
                its dtype.

        Raises:
            DatasetError: an array has another shape.
            OSError: the file cannot be opened again.
        """
        pieces: list[tuple[int, NDArray[np.uint8]]] = []
        steps: list[tuple[str, Callable[[], None]]] = []
        for name, target in targets.items():
            index = self._where(name)
            if index is None:
                steps.append((name, functools.partial(self._read_with_hdf5, target, example, name)))
            elif index.shape != target.shape:
                raise self._unreadable(example, name, f"{list(index.shape)} instead of {list(target.shape)}")
            elif index.chunk_shape is None and index.dtype == target.dtype:
                pieces.append((int(index.places[example, 0, 0]), target.reshape(-1).view(np.uint8)))
            else:
                places = index.places[example].tolist()
                stored = [np.empty(length, np.uint8) for _, length in places]
                pieces += [(offset, array) for (offset, _), array in zip(places, stored, strict=True)]
                steps.append((name, functools.partial(_decode_into, target, index, stored)))
        reads = self._join(pieces, f"{self._shard.path}: example {example}")
        return Begun(reads, functools.partial(self._finish, example, steps))

    def read_into(self, target: NDArray[Any], example: int, name: str) -> None:
        """Reads an array of an example.

        Args:
            target: receives the array; C order, the same shape. Values are converted to its dtype.
            example: index in the shard.
            name: `image` or `label`.

        Raises:
            DatasetError: the file is damaged, or the array has another shape.
            OSError: it cannot be read.
        """
        begun = self.begin(example, {name: target})
        self._folder.read_all(begun.reads)
        begun.finish()

    def close(self) -> None:
        """Closes the file; the next read opens it again."""
        for file in (self._opened, self._hdf5):
            if file is not None:
                file.close()
        self._opened = self._hdf5 = None

    def _file(self) -> OpenFile:
        if self._opened is None:
            opened = self._folder.open(self._shard.path)
            version = opened.version()
            if self._shard.bytes not in (None, opened.size()) or self._version not in (None, version):
                opened.close()
                raise DatasetError(f"{self._shard.path} was replaced after the dataset was opened; open it again")
            self._opened, self._version = opened, version
        return self._opened

    def _where(self, name: str) -> ArrayIndex | None:
        return self._index.image if name == IMAGE else self._index.label

    def _join(self, pieces: list[tuple[int, NDArray[np.uint8]]], name: str) -> list[Read]:
        """Makes one read of pieces that are near to each other in the file; what is between them is read along."""
        reads: list[Read] = []
        end = -1
        for offset, target in sorted(pieces, key=operator.itemgetter(0)):
            if reads and 0 <= offset - end <= _GAP_BYTES:
                reads[-1].targets.extend((np.empty(offset - end, np.uint8), target))
            else:
                reads.append(Read(self._file(), offset, [target], name))
            end = offset + len(target)
        return reads

    def _finish(self, example: int, steps: Sequence[tuple[str, Callable[[], None]]]) -> None:
        for name, step in steps:
            try:
                step()
            except DAMAGE as error:
                raise self._unreadable(example, name, error) from error

    def _unreadable(self, example: int, name: str, why: object) -> DatasetError:
        return DatasetError(f"{self._shard.path}: the {name} of example {example} cannot be read: {why}")

    def _with_hdf5(self, example: int, name: str) -> StoredArray:
        if self._hdf5 is None:
            self._hdf5 = h5py.File(self._file().for_hdf5())
        return stored_array(self._hdf5, example, name)

    def _read_with_hdf5(self, target: NDArray[Any], example: int, name: str) -> None:
        target[...] = self._with_hdf5(example, name).read()


def _decode_into(target: NDArray[Any], index: ArrayIndex, stored: Sequence[NDArray[np.uint8]]) -> None:
    """Converts an array from what is stored in the file: as it is, or deflated in chunks."""
    if index.chunk_shape is None:
        target[...] = stored[0].view(index.dtype).reshape(index.shape)
        return
    count = math.prod(index.chunk_shape)
    for corner, deflated in zip(index.chunks, stored, strict=True):
        part = target[tuple([slice(start, start + n) for start, n in zip(corner, index.chunk_shape, strict=True)])]
        if part.flags.c_contiguous:
            # Whole rows. The last chunk may have more of them than the array.
            inflate_into(part.reshape(-1), deflated, index.dtype, count)
        else:
            chunk = np.frombuffer(inflate(deflated, count * index.dtype.itemsize), index.dtype)
            part[...] = chunk.reshape(index.chunk_shape)[tuple(map(slice, part.shape))]
