"""Lists and finds files on any file system."""

from __future__ import annotations

import contextlib
import errno
import glob
import itertools
import os
import stat
from collections.abc import Iterator

from apache_beam.io.filesystems import FileSystems

from maskmill.names import ATTEMPT, is_utf8
from maskmill.transforms.files.errors import as_os_error
from maskmill.transforms.files.object_store import FileInfo, ObjectStore
from maskmill.transforms.files.paths import is_local, join
from maskmill.transforms.files.stores import store_of

# Errors which mean that nothing exists at a path; other errors leave that open.
_NOT_THERE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG)


def list_folder(folder: str, *, every_name: bool = False) -> Iterator[FileInfo]:
    """Lists the files in a folder, without those in its subfolders.

    Args:
        folder: its path.
        every_name: whether to include files whose names are not UTF-8. Neither a row nor JSON can hold such a name.

    Raises:
        OSError: the folder cannot be listed.
    """
    if is_local(folder):
        return _scan_local_folder(folder, every_name)
    if store := store_of(folder):
        return store.list(f"{folder.rstrip('/')}/")
    return iter(match_pattern(join(glob.escape(folder), "*")))


def list_folder_if_there(folder: str) -> list[FileInfo]:
    """Lists the files in a folder; a folder that does not exist is empty, as in a store, which has no folders."""
    try:
        return list(list_folder(folder))
    except FileNotFoundError:
        return []


def _scan_local_folder(folder: str, every_name: bool) -> Iterator[FileInfo]:
    # Not FileSystems.match: it walks the subfolders too, and a single dangling link makes it fail.
    with os.scandir(folder) as entries:
        for entry in entries:
            if (every_name or is_utf8(entry.name)) and _is_file(entry):
                status = entry.stat()
                yield FileInfo(entry.path, status.st_size, status.st_mtime)


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError as error:
        if error.errno == errno.ELOOP:  # a link to itself is no file, like a dangling one
            return False
        raise


def match_files(folder: str, pattern: str) -> list[FileInfo]:
    """Finds the files that a path or glob pattern names, ordered by path.

    Args:
        folder: taken literally, even if its name contains `*`, `?` or `[`.
        pattern: in the folder, or absolute. If a file has exactly this name, the pattern names only that file.
    """
    path = join(folder, pattern)
    if store := store_of(path):
        return _find_object(store, path) or sorted(match_pattern(join(glob.escape(folder), pattern)))
    if not is_local(path):
        return match_pattern(glob.escape(path)) or sorted(match_pattern(join(glob.escape(folder), pattern)))
    if (status := _local_status(path)) and stat.S_ISREG(status.st_mode):
        return [FileInfo(path, status.st_size, status.st_mtime)]
    # FileSystems.match finds local folders and pipes, too.
    return sorted(info for info in match_pattern(join(glob.escape(folder), pattern)) if os.path.isfile(info.path))


def _find_object(store: ObjectStore, path: str) -> list[FileInfo]:
    """Finds the object with exactly this name: the first of those that begin with it."""
    return [info for info in itertools.islice(store.list(path), 1) if info.path == path]


def match_pattern(pattern: str) -> list[FileInfo]:
    """Finds the files that match a pattern of Beam; the literal parts have to be escaped with `glob.escape`."""
    with as_os_error(pattern):
        matched = FileSystems.match([pattern])[0].metadata_list
    return [FileInfo(m.path, m.size_in_bytes, m.last_updated_in_seconds) for m in matched]


def _local_status(path: str) -> os.stat_result | None:
    """Returns the status of a local path, None if nothing is there. (os.path.exists hides all errors.)"""
    try:
        return os.stat(path)
    except OSError as error:
        if error.errno in _NOT_THERE:
            return None
        raise


def is_folder(path: str) -> bool:
    """Returns whether a folder exists; in a store, which has no folders, whether any object is below that name."""
    if is_local(path):
        return (status := _local_status(path)) is not None and stat.S_ISDIR(status.st_mode)
    if store := store_of(path):
        return any(True for _ in store.list(f"{path.rstrip('/')}/", below=True))
    with as_os_error(path):
        return bool(FileSystems.match([join(glob.escape(path), "**")], [1])[0].metadata_list)


def exists(path: str) -> bool:
    """Returns whether a file, or a local folder, exists.

    Raises:
        OSError: the file system does not tell.
    """
    if is_local(path):
        return _local_status(path) is not None
    if store := store_of(path):
        return bool(_find_object(store, path))
    with as_os_error(path):
        return bool(FileSystems.exists(path))


def list_below(folder: str) -> list[FileInfo]:
    """Lists the files below a folder at any depth; of a local one, the folders and links, too, as files of no size."""
    if not is_local(folder):
        if store := store_of(folder):
            return list(store.list(f"{folder.rstrip('/')}/", below=True))
        return match_pattern(join(glob.escape(folder), "**"))
    found = []
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            with contextlib.suppress(FileNotFoundError):  # it is removed meanwhile
                status = os.lstat(path := os.path.join(parent, name))
                found.append(FileInfo(path, status.st_size if stat.S_ISREG(status.st_mode) else 0, status.st_mtime))
    return found


def find_attempts(folder: str) -> list[str]:
    """Finds the files and folders that killed processes left below a folder, at any depth."""
    if store_of(folder):
        return []  # objects are never incomplete
    if not is_local(folder):
        return [info.path for info in match_pattern(join(glob.escape(folder), f"**{ATTEMPT}"))]
    return [
        os.path.join(parent, name)
        for parent, folders, files in os.walk(folder)
        for name in (*folders, *files)
        if name.endswith(ATTEMPT)
    ]
