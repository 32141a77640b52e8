"""Checks that no two image folders have an image of the same name, so that an ImageId means one file."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from maskmill.pipeline.job.misplaced_input import may_be_image
from maskmill.transforms.files.file_names import normal_form
from maskmill.transforms.files.find_files import list_folder
from maskmill.transforms.files.object_store import FileInfo

_SHOWN = 3
_DIGEST_BYTES = 8


def check_names_apart(folders: Sequence[str]) -> list[str]:
    """Says which names are in several folders; names in two Unicode forms (NFC, NFD) are equal.

    It takes 8 bytes of memory a name, and looks at the names themselves only if some of these digests are equal.

    Args:
        folders: absolute paths of the image folders of a split.

    Returns:
        a message for each of the first names, and one for the number of others.

    Raises:
        OSError: a folder cannot be listed.
    """
    if twice := sorted({folder for folder in folders if folders.count(folder) > 1}):
        return [f"{folder}: maskmill.images names this folder twice; name it once" for folder in twice]
    if len(folders) == 1:
        return []
    digests, numbers = np.unique(np.concatenate([_digests(folder) for folder in folders]), return_counts=True)
    shared = _paths_by_name(folders, set(digests[numbers > 1].tolist()))
    problems = [
        f"{' and '.join(paths[:2])}: two image folders have an image of this name; rename or remove one of them, as a "
        "row names an image without its folder"
        for _, paths in sorted(shared.items())[:_SHOWN]
    ]
    return [*problems, *([f"… and {len(shared) - _SHOWN} more names like these"] if len(shared) > _SHOWN else [])]


def _digests(folder: str) -> NDArray[np.uint64]:
    return np.unique(np.fromiter((_digest(info.name) for info in _images(folder)), np.uint64))


def _paths_by_name(folders: Sequence[str], digests: Collection[int]) -> dict[str, list[str]]:
    """Returns the names in several folders, with a path in each."""
    paths: dict[str, dict[str, str]] = defaultdict(dict)
    for folder in folders if digests else ():
        for info in _images(folder):
            if _digest(info.name) in digests:
                paths[normal_form(info.name)].setdefault(folder, info.path)
    return {name: list(by_folder.values()) for name, by_folder in paths.items() if len(by_folder) > 1}


def _images(folder: str) -> Iterator[FileInfo]:
    return (info for info in list_folder(folder) if may_be_image(info.name))


def _digest(name: str) -> int:
    digest = hashlib.blake2b(normal_form(name).encode(), digest_size=_DIGEST_BYTES).digest()
    return int.from_bytes(digest, "big")
