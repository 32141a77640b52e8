"""Files on any file system, by Beam's `FileSystems`: the few operations that steelbeam needs."""

from __future__ import annotations

import contextlib
import errno
import glob
import io
import itertools
import os
import shutil
import stat
import uuid
from collections.abc import Iterable, Iterator, Sequence
from typing import BinaryIO, cast

from apache_beam.io.filesystem import CompressionTypes
from apache_beam.io.filesystems import FileSystems

from transforms.object_store import FileInfo, ObjectReader, ObjectStore, store_of
from transforms.os_errors import as_os_error

# How the names of files and folders end that are not whole yet.
ATTEMPT = ".attempt"
# How much of an object one request reads, where it is read piece by piece.
_READ_BYTES = 2**22
# What the system says of a path at which nothing can be: all other errors leave that open.
_NOT_THERE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG)


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
    if store := store_of(folder):
        return store.list(f"{folder.rstrip('/')}/")
    return iter(_match(join(glob.escape(folder), "*")))


def list_folder_if_there(folder: str) -> list[FileInfo]:
    """Files that stand in a folder; none where it is not there, which is the same in a store that has no folders."""
    try:
        return list(list_folder(folder))
    except FileNotFoundError:
        return []


def _scan_local_folder(folder: str) -> Iterator[FileInfo]:
    # Not FileSystems.match: it walks the folders below too, and one link to nowhere makes it fail.
    with os.scandir(folder) as entries:
        for entry in entries:
            if _is_file(entry):
                status = entry.stat()
                yield FileInfo(os.path.join(folder, entry.name), status.st_size, status.st_mtime)


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError as error:
        if error.errno == errno.ELOOP:  # a link that leads to itself is no more a file than one that leads nowhere
            return False
        raise


def match_files(folder: str, pattern: str) -> list[FileInfo]:
    """Files that a path or glob pattern, in a folder or absolute, names, ordered by path.

    A file of just that name comes before the meaning of `*`, `?` and `[` in it; in the folder's name they mean nothing.
    """
    path = join(folder, pattern)
    if store := store_of(path):
        return _find_object(store, path) or sorted(_match(join(glob.escape(folder), pattern)))
    if not is_local(path):
        return _match(glob.escape(path)) or sorted(_match(join(glob.escape(folder), pattern)))
    if (status := _local_status(path)) and stat.S_ISREG(status.st_mode):
        return [FileInfo(path, status.st_size, status.st_mtime)]
    # FileSystems.match gives local folders and pipes, too.
    return sorted(info for info in _match(join(glob.escape(folder), pattern)) if os.path.isfile(info.path))


def _find_object(store: ObjectStore, path: str) -> list[FileInfo]:
    """The object of just that name, which comes first among those that begin with it."""
    return [info for info in itertools.islice(store.list(path), 1) if info.path == path]


def _match(pattern: str) -> list[FileInfo]:
    """Files that a pattern of Beam's names; `glob.escape` makes a pattern of what is meant as it stands."""
    with as_os_error(pattern):
        matched = FileSystems.match([pattern])[0].metadata_list
    return [FileInfo(m.path, m.size_in_bytes, m.last_updated_in_seconds) for m in matched]


def _local_status(path: str) -> os.stat_result | None:
    """What the system says of a local path; os.path.exists would take every error for "it is not there"."""
    try:
        return os.stat(path)
    except OSError as error:
        if error.errno in _NOT_THERE:
            return None
        raise


def is_folder(path: str) -> bool:
    """Whether a folder is there; in a store, which has none, whether anything is below that name."""
    if is_local(path):
        return (status := _local_status(path)) is not None and stat.S_ISDIR(status.st_mode)
    if store := store_of(path):
        return any(True for _ in store.list(f"{path.rstrip('/')}/", below=True))
    with as_os_error(path):
        return bool(FileSystems.match([join(glob.escape(path), "**")], [1])[0].metadata_list)


def exists(path: str) -> bool:
    """Whether a file, or locally a folder, is there.

    Raises:
        OSError: that cannot be found out.
    """
    if is_local(path):
        return _local_status(path) is not None
    if store := store_of(path):
        return bool(_find_object(store, path))
    with as_os_error(path):
        return bool(FileSystems.exists(path))


def open_read(path: str) -> BinaryIO:
    """Opens a file as it is stored, not decompressed."""
    if store := store_of(path):
        return io.BufferedReader(ObjectReader(store, path), _READ_BYTES)
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


def write_whole(path: str, content: bytes, *, durable: bool = True) -> None:
    """Writes a file so that a reader sees all of it or, until then, what was there before.

    Args:
        path: of the file.
        content: all of it.
        durable: whether that is to hold after a power failure, too; the disk is waited for.
    """
    if store := store_of(path):
        store.write(path, content)
        return
    attempt = _attempt_name(path)
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


def find_attempts(folder: str) -> list[str]:
    """Files and folders below a folder, at any depth, that an attempt which died has left."""
    if store_of(folder):
        return []  # an object is whole from the start
    if not is_local(folder):
        return [info.path for info in _match(join(glob.escape(folder), f"**{ATTEMPT}"))]
    return [
        os.path.join(parent, name)
        for parent, folders, files in os.walk(folder)
        for name in (*folders, *files)
        if name.endswith(ATTEMPT)
    ]


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
    below = [info.path for info in _match(join(glob.escape(path), "**"))]
    for name in [path, *below] if exists(path) else below:
        # The argument may be a pattern or a name, which is of no object if escaped.
        with as_os_error(name):
            FileSystems.delete([glob.escape(name)])
            if glob.escape(name) != name and exists(name):
                FileSystems.delete([name])
