"""Keeps latest.json in a folder of datasets (one a day, say): the name of the newest whole one."""

from __future__ import annotations

import hashlib
import json
import os

from maskmill.names import LATEST, MANIFEST
from maskmill.pipeline.dataset.find_existing import find_existing
from maskmill.pipeline.errors import UsageError
from maskmill.transforms.files.find_files import exists, match_files
from maskmill.transforms.files.paths import is_local, join
from maskmill.transforms.files.read_write import read_bytes, write_whole


def read_latest(folder: str) -> str | None:
    """Returns the dataset that `latest.json` names; None if there is no such file.

    Raises:
        UsageError: the file holds something else.
    """
    path = join(folder, LATEST)
    if not exists(path):
        return None
    try:
        name = json.loads(read_bytes(path))["dataset"]
    except (ValueError, TypeError, KeyError):
        name = None
    if not isinstance(name, str) or "/" in name or name in ("", ".", ".."):
        raise UsageError(f"{path} names no dataset; remove it, and the next run writes it again")
    return name


def point_at(folder: str, name: str) -> str | None:
    """Makes a whole dataset the latest, unless `latest.json` names a whole one that comes after it.

    Args:
        folder: folder of the datasets.
        name: folder of the dataset. Datasets are ordered by name, as dates are.

    Returns:
        the dataset that stays the latest; None if it is this one.
    """
    latest = read_latest(folder)
    if latest is not None and latest > name and find_existing(join(folder, latest), ()).complete:
        return latest
    digest = hashlib.sha256(read_bytes(join(folder, f"{name}/{MANIFEST}"))).hexdigest()
    content = (json.dumps({"dataset": name, "manifest_sha256": digest}) + "\n").encode()
    path = join(folder, LATEST)
    if not exists(path) or read_bytes(path) != content:
        write_whole(path, content)
    return None


def list_datasets(folder: str) -> list[str]:
    """Lists the folders in a folder, in order, without links."""
    if not is_local(folder):
        below = (info.path[len(folder) + 1 :].split("/") for info in match_files(folder, "**"))
        return sorted({parts[0] for parts in below if len(parts) > 1})
    with os.scandir(folder) as entries:
        return sorted(entry.name for entry in entries if entry.is_dir(follow_symlinks=False))
