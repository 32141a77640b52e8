"""A folder with a dataset in it, made once and found by each test as it was."""

from __future__ import annotations

import shutil
from pathlib import Path


class Snapshot:
    """Keeps a folder and puts it back, with the times of its files and at the same path, which a dataset names.

    Args:
        folder: as it is to be found.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._kept = folder.with_name(f"{folder.name} kept")
        shutil.copytree(folder, self._kept, symlinks=True)

    def restore(self) -> Path:
        """Puts the folder back; gives its path."""
        shutil.rmtree(self._folder, ignore_errors=True)
        shutil.copytree(self._kept, self._folder, symlinks=True)
        return self._folder
