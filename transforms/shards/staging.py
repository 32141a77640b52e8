"""Manages the staging folder: complete shards, each with its record beside it.

A file is written in a private folder and moved here when it is complete; its record follows. If there is a record, the
file is complete, and a killed process leaves nothing that could be mistaken for a shard. The name of a staged file
contains its fingerprint: two attempts at a shard end in one file with the same bytes, and no record describes another
file.
"""

from __future__ import annotations

import contextlib
import glob
import json
import os
import shutil
import tempfile
import threading
from collections.abc import Iterable, Iterator

from maskmill.names import ATTEMPT, is_record, record_path, shard_path
from maskmill.transforms.files.checksums import copy_to_local, sha256_of
from maskmill.transforms.files.errors import as_os_error
from maskmill.transforms.files.find_files import exists, list_folder_if_there
from maskmill.transforms.files.paths import is_local, join
from maskmill.transforms.files.read_write import move, read_bytes_if_there, sync, upload, write_whole
from maskmill.transforms.shards.records import ReusableShard, StoredShard


def read_record(staged: str) -> StoredShard | None:
    """Reads the record of a staged shard; returns None if there is none, or if it does not describe the file.

    A local file is read to its end and compared: nothing has waited for the disk, and it may have been truncated by a
    power failure.
    """
    stored = _parse_record(read_bytes_if_there(record_path(staged)))
    if stored is None or not exists(staged):
        return None
    return stored if not is_local(staged) or sha256_of(staged) == stored.sha256 else None


def _parse_record(record: bytes | None) -> StoredShard | None:
    try:
        return StoredShard.from_json(json.loads(record)) if record is not None else None
    except (ValueError, TypeError, KeyError):
        return None


def list_records(staging: str, splits: Iterable[str]) -> dict[str, StoredShard | None]:
    """Returns the records of the complete shards in the staging folder, by their paths; None for a damaged record."""
    staged = list_staged(staging, splits)
    shards = (path for path in sorted(staged) if record_path(path) in staged)
    paths = [join(staging, path) for path in shards]
    return {path: _parse_record(read_bytes_if_there(record_path(path))) for path in paths}


def list_staged(staging: str, splits: Iterable[str]) -> set[str]:
    """Lists the files in the staging folder, shards and records, by their paths in it."""
    return {shard_path(split, info.name) for split in splits for info in list_folder_if_there(join(staging, split))}


def count_staged(staging: str, splits: Iterable[str]) -> int:
    """Counts the complete shards in the staging folder."""
    return sum(is_record(path) for path in list_staged(staging, splits))


# Private folders of this process. `remove_attempts` takes the lock for good, so that no more are made.
_attempts: set[str] = set()
_attempts_lock = threading.Lock()


@contextlib.contextmanager
def local_attempt(staged: str) -> Iterator[str]:
    """Provides a local path for a new file in a private folder, which is removed at the end."""
    # If staging is local, the folder is on its file system: moving the file into place copies nothing.
    parent = os.path.dirname(staged) if is_local(staged) else None
    with _attempts_lock:
        folder = tempfile.mkdtemp(suffix=ATTEMPT, prefix=f"maskmill-{os.getpid()}-", dir=parent)
        _attempts.add(folder)
    try:
        yield os.path.join(folder, "shard.h5")
    finally:
        _remove_attempt(folder)
        _attempts.discard(folder)


def _remove_attempt(folder: str) -> None:
    try:
        os.rmdir(folder)  # usually the file was moved away
    except OSError:
        shutil.rmtree(folder, ignore_errors=True)


def remove_attempts() -> None:
    """Removes the incomplete files of this process, and blocks threads that begin another: the process is ending."""
    _attempts_lock.acquire(timeout=1)  # a signal may interrupt the thread that holds it
    for folder in list(_attempts) * 2:  # a thread may create its file while the folder is emptied
        shutil.rmtree(folder, ignore_errors=True)


def remove_dead_attempts() -> None:
    """Removes what killed processes left in this machine's folder for temporary files."""
    for folder in glob.glob(os.path.join(glob.escape(tempfile.gettempdir()), f"maskmill-*{ATTEMPT}")):
        number = os.path.basename(folder).split("-")[1]
        if number.isdecimal() and not _is_running(int(number)):
            shutil.rmtree(folder, ignore_errors=True)


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def stage(attempt: str, staged: str, stored: StoredShard) -> None:
    """Moves a complete local file to its place in the staging folder, and writes its record."""
    if is_local(staged):
        # Publishing does so too, for files of earlier attempts; but here, other shards are written meanwhile.
        sync(attempt)
        move(attempt, staged)
    else:
        upload(attempt, staged)
    write_record(staged, stored)


def write_record(staged: str, stored: StoredShard) -> None:
    """Writes the record of a complete shard in the staging folder."""
    path, content = record_path(staged), json.dumps(stored.to_json()).encode()
    if is_local(path):
        # Not moved into place when it is complete, as every move has its cost: half a record counts as none.
        with as_os_error(path), open(path, "wb") as file:
            file.write(content)
    else:
        write_whole(path, content)


def stage_copy(source: ReusableShard, staged: str) -> bool:
    """Copies a shard of another dataset into the staging folder.

    Returns:
        True; False if the file was damaged or removed meanwhile, so that the shard has to be written.
    """
    with local_attempt(staged) as attempt:
        try:
            if copy_to_local(source.path, attempt) != source.stored.sha256:
                return False
        except OSError:  # If the copy cannot be written, writing the shard will fail with the message.
            return False
        stage(attempt, staged, source.stored)
    return True
