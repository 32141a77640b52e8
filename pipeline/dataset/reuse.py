"""Finds shards of an earlier dataset that a run may copy instead of decoding their images again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from maskmill.names import LATEST, MANIFEST
from maskmill.pipeline.dataset.find_existing import find_existing
from maskmill.pipeline.dataset.latest import point_at, read_latest
from maskmill.pipeline.errors import UsageError
from maskmill.transforms.files.find_files import exists, is_folder
from maskmill.transforms.files.paths import absolute, join
from maskmill.transforms.shards.records import ReusableShard


class Reuse(NamedTuple):
    """What `--reuse` found.

    Attributes:
        root: folder of the dataset, absolute; "" if there is none.
        shards: shards that may be copied, by fingerprint.
        message: for the person who started the run; may be empty.
    """

    root: str = ""
    shards: Mapping[str, ReusableShard] = {}
    message: str = ""


def find_reusable(directory: str) -> Reuse:
    """Finds the shards of a dataset, or of the latest one in a folder of datasets.

    Args:
        directory: as given; on the first day it need not exist.

    Raises:
        UsageError: it is neither.
        OSError: it cannot be read.
    """
    root = absolute(directory)
    if exists(root) and not is_folder(root):
        raise UsageError(f"{directory}: is a file; name a dataset, or a folder of datasets, for --reuse")
    if not exists(join(root, MANIFEST)):
        latest = read_latest(root)
        if latest is None:
            return Reuse(message=f"nothing to reuse in {directory} yet")
        root = join(root, latest)
    existing = find_existing(root, ())
    if existing.manifest is None:
        return Reuse(message=f"nothing to reuse: {root} holds no dataset that is whole")
    shards = {stored.fingerprint: ReusableShard(join(root, path), stored) for path, stored in existing.shards.items()}
    return Reuse(root, shards)


def split_day(directory: str, root: str) -> tuple[str, str]:
    """Splits an output folder that lies directly in the folder of datasets that `--reuse` names.

    Args:
        directory: value of `--reuse`, as given.
        root: the output folder, absolute.

    Returns:
        the folder of datasets, absolute, and the name in it; "" as the name if the output folder does not lie there.
    """
    folder, _, name = root.rpartition("/")
    return folder, "" if folder != absolute(directory) or exists(join(folder, MANIFEST)) else name


def announce_latest(directory: str, root: str) -> str:
    """Makes a new dataset the latest if it lies directly in the folder of datasets that `--reuse` names.

    Args:
        directory: value of `--reuse`, as given.
        root: folder of the new dataset, absolute.

    Returns:
        a message for the person who started the run; may be empty.
    """
    folder, name = split_day(directory, root)
    if not name:
        return ""
    newer = point_at(folder, name)
    return f"{join(directory, LATEST)} still names {newer}, which comes after {name}" if newer else ""
