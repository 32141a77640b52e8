"""Reads finished datasets: those of maskmill and those of create_hdf5_files.py. Needs only NumPy and h5py.

from maskmill import open_dataset

examples = open_dataset("severstal_hdf5", split="train_input")
image, label, image_id = examples[0]
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from maskmill.dataset import Batch, Dataset, Example, open_dataset
    from maskmill.errors import DatasetError

__version__ = "0.1.0"

__all__ = ["Batch", "Dataset", "DatasetError", "Example", "open_dataset"]

_HOMES = {"DatasetError": "maskmill.errors"}


def __getattr__(name: str) -> object:
    """Imports a public name on first use: the command line and the pool's processes need neither NumPy nor h5py."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES.get(name, "maskmill.dataset")), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
