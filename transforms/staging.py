"""Shards in the staging folder: whole files, each with its summary beside it.

A file is made under a name of its own and moved here when it is whole; the summary comes after it. So whatever has a
summary is whole, and a process that dies leaves nothing that could be taken for a shard.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from apache_beam.io.filesystem import CompressionTypes
from apache_beam.io.filesystems import FileSystems

from transforms.files import attempt_name, exists, is_local, join, list_folder, move, read_bytes, remove, write_whole


class ShardSummary(NamedTuple):
    """What is known of a shard that is written.

    Attributes:
        split: its split.
        number: of the shard in its split.
        file_name: in the split's folder.
        examples: in the file.
        rows: of the CSV that are in them.
        merged: rows that were united with an earlier row of the same image and class.
        bytes: size of the file.
        sha256: of the file, hexadecimal.
        fingerprint: of what decided its bytes, hexadecimal.
    """

    split: str
    number: int
    file_name: str
    examples: int
    rows: int
    merged: int
    bytes: int
    sha256: str
    fingerprint: str


def summary_path(staged: str) -> str:
    """Where the summary of a staged shard stands."""
    return f"{staged}.json"


def read_summary(staged: str) -> ShardSummary | None:
    """The summary of a shard that is whole in the staging folder; None where there is none."""
    if not exists(summary_path(staged)) or not exists(staged):
        return None
    try:
        return ShardSummary(**json.loads(read_bytes(summary_path(staged))))
    except (ValueError, TypeError):
        return None


def write_summary(staged: str, summary: ShardSummary) -> None:
    """Says that a staged shard is whole."""
    write_whole(summary_path(staged), json.dumps(summary._asdict()).encode())


def count_staged(staging: str, splits: Iterable[str]) -> int:
    """Number of shards that are whole in the staging folder."""
    folders = [join(staging, split) for split in splits]
    files = (info.path for folder in folders if exists(folder) for info in list_folder(folder))
    return sum(path.endswith(summary_path(".h5")) for path in files)


# Attempts of this process that are under way, for a process that has to stop at once.
_attempts: set[str] = set()


@contextlib.contextmanager
def local_attempt(staged: str) -> Iterator[str]:
    """A path to write a file at, which HDF5 can: local, its own, and removed if it is still there at the end."""
    # Where staging is local, on its file system, so that moving the file into place copies nothing.
    path = attempt_name(staged if is_local(staged) else os.path.join(tempfile.gettempdir(), "steelbeam"))
    _attempts.add(path)
    try:
        yield path
    finally:
        _attempts.discard(path)
        with contextlib.suppress(FileNotFoundError):
            os.remove(path)


def remove_attempts() -> None:
    """Removes what this process has half written."""
    for path in list(_attempts):
        with contextlib.suppress(OSError):
            os.remove(path)


def stage(attempt: str, staged: str) -> None:
    """Moves a whole local file to its place in the staging folder."""
    # The summary of an earlier file must not speak for this one, should this process die before it writes its own.
    remove([summary_path(staged)])
    if is_local(staged):
        move(attempt, staged)
        return
    upload = attempt_name(staged)
    with (
        open(attempt, "rb") as source,
        FileSystems.create(upload, compression_type=CompressionTypes.UNCOMPRESSED) as target,
    ):
        shutil.copyfileobj(source, target, 2**20)
    move(upload, staged)


def sha256_of(path: str) -> str:
    """sha256 of a local file, hexadecimal."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(2**20):
            digest.update(block)
    return digest.hexdigest()
