"""Lists the files of a dataset with their sizes."""

from __future__ import annotations

from collections.abc import Iterable

from maskmill.names import shard_path
from maskmill.transforms.files.find_files import list_folder, list_folder_if_there
from maskmill.transforms.files.paths import join


def list_sizes(folder: str) -> dict[str, int]:
    """Returns the sizes of the files in a folder, in bytes, by name.

    Raises:
        OSError: the folder cannot be listed.
    """
    return {info.name: info.size for info in list_folder(folder)}


def list_split_sizes(root: str, splits: Iterable[str]) -> tuple[dict[str, int], list[str]]:
    """Returns the sizes of the files in the folders of the splits.

    Returns:
        sizes in bytes by path in the dataset, and what is wrong with the folders; a missing folder has no files.
    """
    sizes: dict[str, int] = {}
    problems: list[str] = []
    for split in splits:
        try:
            sizes |= {shard_path(split, info.name): info.size for info in list_folder_if_there(join(root, split))}
        except OSError as error:
            problems.append(f"{split}: cannot be listed ({error})")
    return sizes, problems
