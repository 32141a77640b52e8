"""Reads, writes, moves and removes files on any file system."""

from __future__ import annotations

import contextlib
import glob
import io
import os
import shutil
import stat
import uuid
from collections.abc import Iterable, Sequence
from typing import BinaryIO, cast

from apache_beam.io.filesystem import CompressionTypes
from apache_beam.io.filesystems import FileSystems

from maskmill.names import ATTEMPT
from maskmill.transforms.files.errors import as_os_error
from maskmill.transforms.files.find_files import exists, match_pattern
from maskmill.transforms.files.object_store import ObjectReader
from maskmill.transforms.files.paths import is_local, join
from maskmill.transforms.files.stores import store_of

_READ_BYTES = 2**22


def open_read(path: str, request_bytes: int = _READ_BYTES) -> BinaryIO:
    """Opens a file for reading, without decompressing it.

    Args:
        path: of the file.
        request_bytes: number of bytes that one request to an object store reads.
    """
    if store := store_of(path):
        return io.BufferedReader(ObjectReader(store, path), request_bytes)
    with as_os_error(path):
        return cast(BinaryIO, FileSystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED))


def read_bytes(path: str) -> bytes:
    """Reads a file.

    Raises:
        FileNotFoundError: there is no such file; beyond local files and object stores, Beam may raise another OSError.
        OSError: the file cannot be read.
    """
    if store := store_of(path):
        return store.read(path).data
    with as_os_error(path), open_read(path) as file:
        return file.read()


def read_bytes_if_there(path: str) -> bytes | None:
    """Reads a file; returns None if there is no such file."""
    if store_of(path) is None and not exists(path):
        return None
    try:
        return read_bytes(path)
    except FileNotFoundError:
        return None


def make_folder(path: str) -> None:
    """Makes a folder and its parents, if they do not exist; an object store needs none."""
    if is_local(path):
        os.makedirs(path, exist_ok=True)


def write_whole(path: str, content: bytes, *, attempts: str | None = None) -> None:
    """Writes a file atomically: a reader sees all of it or, until then, the file that was there before.

    This also holds after a power failure.

    Args:
        path: of the file.
        content: the whole content.
        attempts: folder for the incomplete file, which a killed process leaves behind; None is the folder of `path`.
    """
    if store := store_of(path):
        store.write(path, content)
        return
    attempt = _attempt_name(path if attempts is None else join(attempts, path.rsplit("/", 1)[-1]))
    with as_os_error(path):
        with FileSystems.create(attempt, compression_type=CompressionTypes.UNCOMPRESSED) as file:
            file.write(content)
        sync(attempt)
        move(attempt, path)


def upload(local: str, path: str) -> None:
    """Copies a local file to another file system; a reader sees all of it or nothing."""
    if store := store_of(path):
        store.upload(local, path)
        return
    attempt = _attempt_name(path)
    with (
        open(local, "rb") as source,
        FileSystems.create(attempt, compression_type=CompressionTypes.UNCOMPRESSED) as target,
    ):
        shutil.copyfileobj(source, target, 2**20)
    move(attempt, path)


def _attempt_name(path: str) -> str:
    """Returns a unique path beside another."""
    return f"{path}.{uuid.uuid4().hex}{ATTEMPT}"


def sync(path: str) -> None:
    """Waits until the disk has a local file or folder, so that it survives a power failure. Stores need no wait."""
    if not is_local(path):
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def move(source: str, target: str) -> None:
    """Moves a file; replaces the target."""
    move_all([(source, target)])


def move_all(pairs: Sequence[tuple[str, str]]) -> None:
    """Moves files of one file system, (source, target) each; replaces the targets.

    In a store, moving is copying and removing: after an error in between both files exist, and it can be repeated.
    """
    if not pairs:
        return
    if is_local(pairs[0][1]):
        for source, target in pairs:
            os.replace(source, target)
    elif store := store_of(pairs[0][1]):
        store.copy(pairs)
        store.delete([source for source, _ in pairs])
    else:
        FileSystems.rename([source for source, _ in pairs], [target for _, target in pairs])


def remove(paths: Iterable[str]) -> None:
    """Removes files, and folders with their content; those that do not exist are ignored."""
    for path in paths:
        if is_local(path):
            _remove_local(path)
        else:
            _remove_objects(path)


def remove_files(paths: Sequence[str]) -> None:
    """Removes many files of one file system; those that do not exist are ignored."""
    if paths and (store := store_of(paths[0])):
        store.delete(paths)
    else:
        remove(paths)


def _remove_local(path: str) -> None:
    # Not FileSystems.delete, which takes a path with `*` or `[` for a pattern that matches other files.
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        if stat.S_ISDIR(os.lstat(path).st_mode):
            shutil.rmtree(path)
        else:
            os.remove(path)


def _remove_objects(path: str) -> None:
    """Removes an object, and the objects below that name."""
    if store := store_of(path):
        store.delete([path, *(info.path for info in store.list(f"{path.rstrip('/')}/", below=True))])
        return
    below = [info.path for info in match_pattern(join(glob.escape(path), "**"))]
    for name in [path, *below] if exists(path) else below:
        # Some file systems take the argument for a pattern, others for a name.
        with as_os_error(name):
            FileSystems.delete([glob.escape(name)])
            if glob.escape(name) != name and exists(name):
                FileSystems.delete([name])
