"""Shards in the staging folder: whole files, each with its record beside it.

A file is made in a private folder and moved here when it is whole; the record comes after it. So whatever has a record
is whole, and a process that dies leaves nothing that could be taken for a shard. The name of a staged file holds its
fingerprint: two attempts at the same shard end in one file of the same bytes, and no record speaks for another file.
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
from maskmill.transforms.files.find_files import exists, list_folder_if_there
from maskmill.transforms.files.paths import is_local, join
from maskmill.transforms.files.read_write import move, read_bytes_if_there, sync, upload, write_whole
from maskmill.transforms.shards.records import ReusableShard, StoredShard


def read_record(staged: str) -> StoredShard | None:
    """What is known of a shard that is whole in the staging folder; None where there is none.

    A local file is read to its end: nobody has waited for the disk to take it, and a power failure may have cut it off.
    """
    record = read_bytes_if_there(record_path(staged))
    if record is None or not exists(staged):
        return None
    try:
        stored = StoredShard.from_json(json.loads(record))
    except (ValueError, TypeError, KeyError):
        return None
    return stored if not is_local(staged) or sha256_of(staged) == stored.sha256 else None


def list_staged(staging: str, splits: Iterable[str]) -> set[str]:
    """Paths of the files in the staging folder: of shards, and of the records beside them."""
    return {shard_path(split, info.name) for split in splits for info in list_folder_if_there(join(staging, split))}


def count_staged(staging: str, splits: Iterable[str]) -> int:
    """Number of shards that are whole in the staging folder."""
    return sum(is_record(path) for path in list_staged(staging, splits))


# Private folders of this process, for a process that has to stop at once: it takes the lock, and no more are made.
_attempts: set[str] = set()
_attempts_lock = threading.Lock()


@contextlib.contextmanager
def local_attempt(staged: str) -> Iterator[str]:
    """A path to write a file at, which HDF5 can: local, its own, and removed with what is there at the end."""
    # Where staging is local, on its file system, so that moving the file into place copies nothing.
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
        os.rmdir(folder)  # the file has most often been moved away
    except OSError:
        shutil.rmtree(folder, ignore_errors=True)


def remove_attempts() -> None:
    """Removes what this process has half written, and keeps its threads from beginning anew."""
    _attempts_lock.acquire(timeout=1)  # a signal may have come while this very thread has it
    for folder in list(_attempts) * 2:  # a thread may make its file while the folder is emptied
        shutil.rmtree(folder, ignore_errors=True)


def remove_dead_attempts() -> None:
    """Removes from this machine's folder for temporary files what processes that were killed have left there."""
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
    """Moves a whole local file to its place in the staging folder, and says that it is whole."""
    if is_local(staged):
        # Publishing does so too, for files of earlier attempts; but here, other shards are made in the meantime.
        sync(attempt)
        move(attempt, staged)
    else:
        upload(attempt, staged)
    write_whole(record_path(staged), json.dumps(stored.to_json()).encode(), durable=False)


def stage_copy(source: ReusableShard, staged: str) -> bool:
    """Copies a shard of another dataset into the staging folder.

    Returns:
        whether that has succeeded: a file that was damaged, or removed in the meantime, is not taken over.
    """
    with local_attempt(staged) as attempt:
        try:
            if copy_to_local(source.path, attempt) != source.stored.sha256:
                return False
        except OSError:  # Where it is the copy that cannot be written, the shard cannot be either, and says so.
            return False
        stage(attempt, staged, source.stored)
    return True
