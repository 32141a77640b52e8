"""Reading, writing, moving and removing files on any file system: the few operations that maskmill needs."""

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
    """Opens a file as it is stored, not decompressed.

    Args:
        path: of the file.
        request_bytes: how much one request to a store of objects reads.
    """
    if store := store_of(path):
        return io.BufferedReader(ObjectReader(store, path), request_bytes)
    with as_os_error(path):
        return cast(BinaryIO, FileSystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED))


def read_bytes(path: str) -> bytes:
    """The bytes of a file.

    Raises:
        FileNotFoundError: there is none; other file systems than local ones and object stores may tell otherwise.
        OSError: it cannot be read.
    """
    if store := store_of(path):
        return store.read(path).data
    with as_os_error(path), open_read(path) as file:
        return file.read()


def read_bytes_if_there(path: str) -> bytes | None:
    """The bytes of a file; None where there is none."""
    if store_of(path) is None and not exists(path):
        return None
    try:
        return read_bytes(path)
    except FileNotFoundError:
        return None


def make_folder(path: str) -> None:
    """Makes a folder and those above it; one that is there already is fine."""
    if is_local(path):
        os.makedirs(path, exist_ok=True)


def write_whole(path: str, content: bytes, *, durable: bool = True, attempts: str | None = None) -> None:
    """Writes a file so that a reader sees all of it or, until then, what was there before.

    Args:
        path: of the file.
        content: all of it.
        durable: whether that is to hold after a power failure, too; the disk is waited for.
        attempts: a folder where an attempt that dies disturbs nobody; without it, the file's.
    """
    if store := store_of(path):
        store.write(path, content)
        return
    attempt = _attempt_name(path if attempts is None else join(attempts, path.rsplit("/", 1)[-1]))
    with as_os_error(path):
        with FileSystems.create(attempt, compression_type=CompressionTypes.UNCOMPRESSED) as file:
            file.write(content)
        if durable:
            sync(attempt)
        move(attempt, path)


def copy_to(local: str, path: str) -> None:
    """Copies a local file to a path on another file system; a reader sees all of it or nothing."""
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
    """A name beside a path that no other attempt has."""
    return f"{path}.{uuid.uuid4().hex}{ATTEMPT}"


def sync(path: str) -> None:
    """Has the disk take a local file or folder: what is moved or listed after that survives a power failure.

    A store has taken what it has; there is nothing to do.
    """
    if not is_local(path):
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def move(source: str, target: str) -> None:
    """Moves a file, over one that may be there."""
    move_all([(source, target)])


def move_all(pairs: Sequence[tuple[str, str]]) -> None:
    """Moves files, (source, target) each, over those that may be there; all of one file system.

    In a store that is a copy and a removal: an error in between leaves both, and doing it again does no harm.
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
    """Removes files and folders with all that is in them; one that is not there is fine."""
    for path in paths:
        if is_local(path):
            _remove_local(path)
        else:
            _remove_objects(path)


def remove_files(paths: Sequence[str]) -> None:
    """Removes files, many at once; one that is not there is fine."""
    if paths and (store := store_of(paths[0])):
        store.delete(paths)
    else:
        remove(paths)


def _remove_local(path: str) -> None:
    # Not FileSystems.delete: a path with `*` or `[` is a pattern there, and other files match it.
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        if stat.S_ISDIR(os.lstat(path).st_mode):
            shutil.rmtree(path)
        else:
            os.remove(path)


def _remove_objects(path: str) -> None:
    """Removes an object, and those below it as if it were a folder."""
    if store := store_of(path):
        store.delete([path, *(info.path for info in store.list(f"{path.rstrip('/')}/", below=True))])
        return
    below = [info.path for info in match_pattern(join(glob.escape(path), "**"))]
    for name in [path, *below] if exists(path) else below:
        # The argument may be a pattern or a name, which is of no object if escaped.
        with as_os_error(name):
            FileSystems.delete([glob.escape(name)])
            if glob.escape(name) != name and exists(name):
                FileSystems.delete([name])
