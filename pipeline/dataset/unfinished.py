"""Finds and removes what runs that published nothing have left in their output folders.

That is the staging folder; the lock of a run that was killed before it had one; and, if it was killed while publishing,
what its journal lists. A folder that holds nothing else goes with it; a whole dataset loses only its staging folder.
"""

from __future__ import annotations

import contextlib
import os
from typing import NamedTuple

from maskmill.names import (
    CROISSANT,
    DATA_PARAMS,
    EXAMPLES,
    HISTORY,
    JOURNAL,
    LOCK,
    MANIFEST,
    REJECTED,
    REPORT,
    STAGING,
    parse_meta_file,
    split_of,
)
from maskmill.pipeline.dataset.find_existing import find_existing
from maskmill.transforms.files.find_files import list_below
from maskmill.transforms.files.paths import is_local, join
from maskmill.transforms.files.read_write import remove, remove_files

# The files beside the shards, with the lists of shards.
_BESIDE = (DATA_PARAMS, EXAMPLES, REJECTED, CROISSANT, HISTORY, REPORT)


class Unfinished(NamedTuple):
    """What a run that published nothing has left in its output folder.

    Attributes:
        bytes: size of the files.
        modified: when the last of them was written, in seconds since the epoch; 0 if the file system does not tell.
        locked: whether there is a lock, of a run that lives or was killed.
        publishing: whether it was killed while publishing, so that there is no dataset any more.
    """

    bytes: int
    modified: float
    locked: bool
    publishing: bool


def find_unfinished(root: str) -> Unfinished | None:
    """Looks into an output folder; returns None if no run has left anything there.

    Raises:
        OSError: the folder cannot be read.
    """
    files = {info.path[len(root) + 1 :]: info for info in list_below(root)}
    staged = [info for name, info in files.items() if name == STAGING or name.startswith(f"{STAGING}/")]
    if not staged and files.keys() != {LOCK}:
        return None
    publishing = JOURNAL in files and MANIFEST not in files
    left = list(files.values()) if publishing or not staged else staged
    modified = [info.modified for info in staged or left]
    return Unfinished(sum(info.size for info in left), max(modified) if all(modified) else 0, LOCK in files, publishing)


def remove_unfinished(root: str) -> None:
    """Removes what is left in an output folder, of which this process holds the lock. May be repeated.

    Raises:
        UsageError: the journal in it is damaged.
        OSError: a file cannot be removed.
    """
    names = {info.path[len(root) + 1 :] for info in list_below(root)}
    if JOURNAL in names and MANIFEST not in names:
        ours = find_existing(root, ()).ours
        beside = [name for name in names if name in _BESIDE or parse_meta_file(name)]
        remove_files([join(root, name) for name in (*sorted(ours), *sorted(beside))])
        for split in {split_of(path) for path in ours}:
            remove_if_empty(join(root, split))
    # The journal, which says whose files these are, goes last.
    remove([join(root, STAGING)])


def remove_if_empty(folder: str) -> None:
    """Removes a local folder in which nothing is left; stores have no folders."""
    if is_local(folder):
        with contextlib.suppress(OSError):
            os.rmdir(folder)
