"""Shards of an earlier dataset that a run may copy instead of decoding their images again."""

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
    """What `--reuse` has found.

    Attributes:
        shards: that may be copied, by fingerprint.
        message: for the person who started the run; empty where there is nothing to say.
    """

    shards: Mapping[str, ReusableShard] = {}
    message: str = ""


def find_reusable(directory: str) -> Reuse:
    """Looks for shards in a dataset, or in the one that a folder of datasets names as its latest.

    Args:
        directory: as given; on the first day there need not be anything yet.

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
    return Reuse(shards)


def announce_latest(directory: str, root: str) -> str:
    """Has the folder of datasets that `--reuse` names know of a new one, where that lies directly in it.

    Args:
        directory: that `--reuse` names, as given.
        root: of the new dataset, absolute.

    Returns:
        for the person who started the run; empty where there is nothing to say.
    """
    folder, _, name = root.rpartition("/")
    if folder != absolute(directory) or exists(join(folder, MANIFEST)):
        return ""
    newer = point_at(folder, name)
    return f"{join(directory, LATEST)} still names {newer}, which comes after {name}" if newer else ""
