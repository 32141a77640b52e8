"""Reads the examples of one shard: their bytes directly from the file, inflating labels without HDF5."""

from __future__ import annotations

import math
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from maskmill.catalog import Shard
from maskmill.errors import DatasetError
from maskmill.folder import Folder, OpenFile
from maskmill.inflate import inflate
from maskmill.names import IMAGE, group_name
from maskmill.shard_index import DAMAGE, ArrayIndex, index_shard


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
        try:
            with self._file().for_hdf5() as file, h5py.File(file) as hdf5:
                self._index = index_shard(hdf5, shard.examples)
        except DAMAGE as error:
            advice = "copy the dataset again, or make it again"
            raise DatasetError(f"{shard.path} is damaged ({error}); {advice}") from error

    @property
    def image_ids(self) -> tuple[str, ...]:
        """File names of the images; empty if the shard does not record them."""
        return self._index.image_ids

    def form(self, name: str) -> tuple[np.dtype[np.generic], tuple[int, ...]]:
        """Returns dtype and shape of an array, `image` or `label`."""
        index = self._where(name)
        if index is not None:
            return index.dtype, index.shape
        array = self._with_hdf5(0, name)
        return array.dtype, array.shape

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
        index = self._where(name)
        try:
            if index is None:
                target[...] = self._with_hdf5(example, name)[()]
            elif index.shape != target.shape:
                raise ValueError(f"{list(index.shape)} instead of {list(target.shape)}")
            elif index.chunk_shape is not None:
                self._inflate_into(target, index, example)
            else:
                self._copy_into(target, index, example)
        except (EOFError, *DAMAGE) as error:
            raise DatasetError(
                f"{self._shard.path}: the {name} of example {example} cannot be read: {error}"
            ) from error

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

    def _with_hdf5(self, example: int, name: str) -> h5py.Dataset:
        if self._hdf5 is None:
            self._hdf5 = h5py.File(self._file().for_hdf5())
        return self._hdf5[f"{group_name(example)}/{name}"]

    def _copy_into(self, target: NDArray[Any], index: ArrayIndex, example: int) -> None:
        stored = target if target.dtype == index.dtype else np.empty(index.shape, index.dtype)
        self._file().read_into(stored.reshape(-1).view(np.uint8), int(index.places[example, 0, 0]))
        if stored is not target:
            target[...] = stored

    def _inflate_into(self, target: NDArray[Any], index: ArrayIndex, example: int) -> None:
        assert index.chunk_shape is not None
        size = math.prod(index.chunk_shape) * index.dtype.itemsize
        for corner, (offset, length) in zip(index.chunks, index.places[example].tolist(), strict=True):
            deflated = np.empty(length, np.uint8)
            self._file().read_into(deflated, offset)
            chunk = np.frombuffer(inflate(deflated, size), index.dtype).reshape(index.chunk_shape)
            part = target[tuple([slice(start, start + n) for start, n in zip(corner, index.chunk_shape, strict=True)])]
            # The last chunk may reach past the end of the array.
            part[...] = chunk[tuple(map(slice, part.shape))]
