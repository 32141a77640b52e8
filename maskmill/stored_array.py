"""Finds the arrays of an example in a shard, in either layout, for what is read by HDF5."""

from __future__ import annotations

from typing import Any, NamedTuple

import h5py
import numpy as np
from numpy.typing import NDArray

from maskmill.names import ROWS_OF, group_name


class StoredArray(NamedTuple):
    """An image or a label in its shard.

    Attributes:
        dataset: the array of the file that holds it.
        row: index of its row in there; () if it is all of it.
    """

    dataset: h5py.Dataset
    row: tuple[int, ...]

    @property
    def dtype(self) -> np.dtype[np.generic]:
        """Type of the image or label."""
        dtype: np.dtype[np.generic] = self.dataset.dtype
        return dtype

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the image or label."""
        shape: tuple[int, ...] = self.dataset.shape
        return shape[len(self.row) :]

    def read(self) -> NDArray[Any]:
        """Reads the image or label."""
        array: NDArray[Any] = self.dataset[self.row]
        return array


def has_arrays(file: h5py.File) -> bool:
    """Whether a shard has the layout `arrays`."""
    return any(name in file for name in ROWS_OF.values())


def stored_array(file: h5py.File, example: int, name: str) -> StoredArray:
    """Finds an array of an example.

    Args:
        file: the shard.
        example: index in the shard.
        name: `image` or `label`.

    Raises:
        KeyError: the file lacks it.
    """
    if has_arrays(file):
        return StoredArray(file[ROWS_OF[name]], (example,))
    return StoredArray(file[f"{group_name(example)}/{name}"], ())
