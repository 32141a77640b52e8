"""The files of a dataset as the file system lists them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from transforms.find_files import list_folder, list_folder_if_there
from transforms.layout import ATTEMPT, parse_file_name
from transforms.paths import join


def list_sizes(folder: str) -> dict[str, int]:
    """Sizes of the files in a folder, by name.

    Raises:
        OSError: the folder cannot be listed.
    """
    return {info.name: info.size for info in list_folder(folder)}


def list_split_sizes(root: str, splits: Iterable[str]) -> tuple[dict[str, int], list[str]]:
    """Sizes of the files in the folders of the splits.

    Returns:
        the sizes by path in the dataset, and what is wrong with the folders; one that is not there has no files.
    """
    sizes: dict[str, int] = {}
    problems: list[str] = []
    for split in splits:
        try:
            sizes |= {f"{split}/{info.name}": info.size for info in list_folder_if_there(join(root, split))}
        except OSError as error:
            problems.append(f"{split}: cannot be listed ({error})")
    return sizes, problems


def find_strays(present: Iterable[str], listed: Collection[str]) -> Iterator[str]:
    """Files that have no place in a dataset, in order.

    Files of other names than the dataset's own are somebody else's, and left out of account.

    Args:
        present: paths in the dataset.
        listed: paths of its shards.
    """
    names = {_dataset_name(path) for path in listed}
    for path in sorted(set(present).difference(listed)):
        if path.endswith(ATTEMPT) or _dataset_name(path) in names - {None}:
            yield path


def _dataset_name(path: str) -> str | None:
    parsed = parse_file_name(path.rsplit("/", 1)[-1])
    return parsed[0] if parsed else None
