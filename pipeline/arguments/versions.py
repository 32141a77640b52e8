"""Says what is installed, for bug reports."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

_DISTRIBUTIONS = {"Beam": "apache-beam", "NumPy": "numpy", "Pillow": "Pillow", "simplejpeg": "simplejpeg"}


def describe_versions() -> str:
    """Returns a line with the versions of maskmill and of the libraries that matter to it."""
    import h5py

    others = ", ".join(f"{name} {_version(distribution)}" for name, distribution in _DISTRIBUTIONS.items())
    hdf5 = f"h5py {h5py.version.version} with HDF5 {h5py.version.hdf5_version}"
    return f"maskmill {_version('maskmill')} (Python {platform.python_version()}, {others}, {hdf5})"


def _version(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return "not installed"
