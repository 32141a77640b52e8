"""What a run reads and is told to do, in one number: where it has not changed, there is nothing to do."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable

from maskmill import format_version
from maskmill.transforms.files.find_files import list_folder
from maskmill.transforms.files.object_store import FileInfo


def input_fingerprint(files: Iterable[FileInfo], folders: Iterable[str], settings: object) -> str:
    """sha256 over the settings, and over what the file system says of CSV files and images, hexadecimal.

    Args:
        files: CSV files.
        folders: of images; each is listed.
        settings: everything else that decides the dataset, as JSON can hold it.

    Raises:
        OSError: a folder cannot be listed.
    """
    parts = [format_version.CURRENT, list(files), [_digest_of_listing(folder) for folder in folders], settings]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _digest_of_listing(folder: str) -> str:
    """The same for the same files in any order, in a memory that does not depend on their number."""
    total = 0
    for info in list_folder(folder):
        total += int.from_bytes(hashlib.sha256(json.dumps(info).encode()).digest(), "big")
    return f"{total % 2**256:x}"
