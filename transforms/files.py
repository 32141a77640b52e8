"""Files on any file system, by Beam's `FileSystems`: the few operations that steelbeam needs."""

from __future__ import annotations

import contextlib
import glob
import os
import shutil
import uuid
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple, cast

from apache_beam.io.filesystem import CompressionTypes
from apache_beam.io.filesystems import FileSystems

# How the names of files and folders end that are not whole yet.
ATTEMPT = ".attempt"


class FileInfo(NamedTuple):
    """A file of a folder: its path, its size in bytes, and when it was modified, in seconds since the epoch."""

    path: str
    size: int
    modified: float


def is_local(path: str) -> bool:
    """Whether a path is on the local file system."""
    return FileSystems.get_scheme(path) is None


def join(base: str, path: str) -> str:
    """A path below a folder; an absolute one, or one with a scheme such as `gs://`, stands for itself."""
    return path if "://" in path or os.path.isabs(path) else FileSystems.join(base, path)


def absolute(path: str) -> str:
    """The one spelling of a path, so that the same place is recognised when it is named twice."""
    return os.path.realpath(path) if is_local(path) else path.rstrip("/")


def list_folder(folder: str) -> Iterator[FileInfo]:
    """Files that stand in a folder, not those of folders below it.

    Raises:
        OSError: the folder cannot be listed.
    """
    if is_local(folder):
        return _scan_local_folder(folder)
    # Characters of the folder's name that mean something in a pattern are escaped.
    matched = FileSystems.match([join(glob.escape(folder), "*")])[0].metadata_list
    return (FileInfo(m.path, m.size_in_bytes, m.last_updated_in_seconds) for m in matched)


def _scan_local_folder(folder: str) -> Iterator[FileInfo]:
    # Not FileSystems.match: it walks the folders below too, and one link to nowhere makes it fail.
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_file():
                status = entry.stat()
                yield FileInfo(os.path.join(folder, entry.name), status.st_size, status.st_mtime)


def match_files(folder: str, pattern: str) -> list[FileInfo]:
    """Files that a path or glob pattern, in a folder or absolute, names, ordered by path.

    A file of just that name comes before the meaning of `*`, `?` and `[` in it; in the folder's name they mean nothing.
    """
    path = join(folder, pattern)
    if is_local(path) and os.path.isfile(path):
        return [FileInfo(path, os.path.getsize(path), os.path.getmtime(path))]
    matched = FileSystems.match([join(glob.escape(folder), pattern)])[0].metadata_list
    return sorted(FileInfo(m.path, m.size_in_bytes, m.last_updated_in_seconds) for m in matched)


def exists(path: str) -> bool:
    """Whether a file, or locally a folder, is there."""
    return bool(FileSystems.exists(path))


def open_read(path: str) -> BinaryIO:
    """Opens a file as it is stored, not decompressed."""
    return cast(BinaryIO, FileSystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED))


def read_bytes(path: str) -> bytes:
    """The bytes of a file."""
    with open_read(path) as file:
        return file.read()


def make_folder(path: str) -> None:
    """Makes a folder and those above it; one that is there already is fine."""
    if is_local(path):
        os.makedirs(path, exist_ok=True)


def write_whole(path: str, content: bytes) -> None:
    """Writes a file so that a reader sees all of it or, until then, what was there before."""
    attempt = _attempt_name(path)
    with FileSystems.create(attempt, compression_type=CompressionTypes.UNCOMPRESSED) as file:
        file.write(content)
    if is_local(path):
        sync(attempt)
    move(attempt, path)


def copy_to(local: str, path: str) -> None:
    """Copies a local file to a path on another file system; a reader sees all of it or nothing."""
    attempt = _attempt_name(path)
    with (
        open(local, "rb") as source,
        FileSystems.create(attempt, compression_type=CompressionTypes.UNCOMPRESSED) as target,
    ):
        shutil.copyfileobj(source, target, 2**20)
    move(attempt, path)


def _attempt_name(path: str) -> str:
    """A name beside a path that no other attempt has."""
    return f"{path}.{uuid.uuid4().hex}{ATTEMPT}"


def sync(path: str) -> None:
    """Has the disk take a local file or folder: what is moved or listed after that survives a power failure."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def find_attempts(folder: str) -> list[str]:
    """Files and folders below a folder, at any depth, that an attempt which died has left."""
    if not is_local(folder):
        found = FileSystems.match([join(glob.escape(folder), f"**{ATTEMPT}")])[0].metadata_list
        return [m.path for m in found]
    return [
        os.path.join(parent, name)
        for parent, folders, files in os.walk(folder)
        for name in (*folders, *files)
        if name.endswith(ATTEMPT)
    ]


def move(source: str, target: str) -> None:
    """Moves a file, over one that may be there."""
    if is_local(target):
        os.replace(source, target)
    else:
        FileSystems.rename([source], [target])


def remove(paths: list[str]) -> None:
    """Removes files and folders with all that is in them; one that is not there is fine."""
    for path in paths:
        if not is_local(path):
            if exists(path):
                FileSystems.delete([path])
        # Not FileSystems.delete: a path with `*` or `[` is a pattern there, and other files match it.
        elif os.path.isdir(path) and not os.path.islink(path):
            shutil.rmtree(path)
        else:
            with contextlib.suppress(FileNotFoundError):
                os.remove(path)
