"""Changes that damage the file of a shard."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import h5py
import numpy as np

Change = Callable[[h5py.File], Any]


def replace(name: str, make: Callable[[np.ndarray], np.ndarray]) -> Change:
    """Writes an array again, as another."""

    def change(file: h5py.File) -> None:
        array = make(file[name][()])
        del file[name]
        file[name] = array

    return change


def put(name: str, place: tuple[int, ...], value: float) -> Change:
    """Changes one value of an array."""

    def change(file: h5py.File) -> None:
        file[name][place] = value

    return change
