"""Reads the folder of a dataset, on this machine or on any file system of fsspec."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, BinaryIO, NamedTuple, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from maskmill.errors import DatasetError
from maskmill.install_hint import pip_install
from maskmill.names import is_utf8


class OpenFile(Protocol):
    """A file that can be read from any offset."""

    def size(self) -> int:
        """Returns the size of the file in bytes."""

    def version(self) -> object:
        """Returns a value that changes if another file takes its place, as far as the file system tells."""

    def read_into(self, targets: Sequence[NDArray[np.uint8]], offset: int) -> None:
        """Fills arrays, uint8 [n] in C order, one after the other with the bytes from `offset` on.

        Raises:
            EOFError: the file is too short.
            OSError: it cannot be read.
        """

    def for_hdf5(self) -> BinaryIO:
        """Opens the file once more, for h5py: HDF5 refuses a file that the process has open in another way."""

    def close(self) -> None:
        """Closes the file."""


class Read(NamedTuple):
    """Bytes to read from a file.

    Attributes:
        file: the file.
        offset: of the first byte.
        targets: arrays to fill one after the other, uint8 [n] in C order.
        name: of what is read, for messages.
    """

    file: OpenFile
    offset: int
    targets: list[NDArray[np.uint8]]
    name: str

    @property
    def size(self) -> int:
        """Number of bytes."""
        return sum(map(len, self.targets))


def read_all(reads: Sequence[Read]) -> None:
    """Performs reads of files in one folder: in their order, or all at the same time if it is remote.

    Raises:
        DatasetError: something cannot be read.
    """
    contents = _fetch([(read.file, read) for read in reads if isinstance(read.file, _RemoteFile)])
    for read in reads:
        try:
            if isinstance(read.file, _RemoteFile):
                _fill(read, next(contents))
            else:
                read.file.read_into(read.targets, read.offset)
        except (EOFError, OSError) as error:
            raise DatasetError(f"{read.name} cannot be read: {error}") from error


class Folder(Protocol):
    """The folder of a dataset."""

    def read(self, path: str) -> bytes:
        """Reads a file.

        Raises:
            FileNotFoundError: there is no such file.
        """

    def list(self, path: str) -> dict[str, int | None]:
        """Lists a folder inside this one: the size of each file in bytes by name, None for a folder.

        A folder that does not exist is empty. Names that are not UTF-8 are left out: no file of a dataset has one.

        Raises:
            DatasetError: the path is a file.
        """

    def open(self, path: str) -> OpenFile:
        """Opens a file.

        Raises:
            FileNotFoundError: there is no such file.
        """


def folder_of(path: str) -> Folder:
    """Returns the folder at a path: a local one, or fsspec's if the path has a scheme such as `gs://`."""
    return RemoteFolder(path) if "://" in path or "::" in path else LocalFolder(path)


class LocalFolder:
    """A local folder."""

    def __init__(self, path: str) -> None:
        self._path = os.path.abspath(path)

    def read(self, path: str) -> bytes:
        with open(os.path.join(self._path, path), "rb") as file:
            return file.read()

    def list(self, path: str) -> dict[str, int | None]:
        folder = os.path.normpath(os.path.join(self._path, path))
        try:
            entries = os.scandir(folder)
        except FileNotFoundError:
            return {}
        except NotADirectoryError as error:
            raise DatasetError(f"{folder} is a file; name the folder of a dataset") from error
        sizes: dict[str, int | None] = {}
        with entries:
            for entry in entries:
                # A file that has just vanished, or a dangling link, is not there.
                with contextlib.suppress(FileNotFoundError):
                    if is_utf8(entry.name):
                        sizes[entry.name] = None if entry.is_dir() else entry.stat().st_size
        return sizes

    def open(self, path: str) -> OpenFile:
        return _LocalFile(os.path.join(self._path, path))


class _LocalFile:
    def __init__(self, path: str) -> None:
        self._path = path
        self._file = open(path, "rb", buffering=0)  # noqa: SIM115

    def size(self) -> int:
        return os.fstat(self._file.fileno()).st_size

    def version(self) -> object:
        status = os.fstat(self._file.fileno())
        # Not the inode, which changes on mounted object stores.
        return status.st_size, status.st_mtime_ns

    def read_into(self, targets: Sequence[NDArray[np.uint8]], offset: int) -> None:
        left = [memoryview(target.data) for target in targets if target.size]
        while left:
            count = os.preadv(self._file.fileno(), left, offset)
            if not count:
                raise EOFError(f"{self._path}: ends before byte {offset + sum(map(len, left))}")
            offset += count
            while left and count >= len(left[0]):
                count -= len(left.pop(0))
            if count:
                left[0] = left[0][count:]

    def for_hdf5(self) -> BinaryIO:
        return open(self._path, "rb")

    def close(self) -> None:
        self._file.close()


def _forget_loop() -> None:
    """Has fsspec begin anew in a forked process, in which the thread that serves its requests does not run.

    Releases of fsspec before 2025.7 do not do so, and would wait for ever.
    """
    if asyn := sys.modules.get("fsspec.asyn"):
        asyn.reset_lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_loop)

# Clients that are in use. A forked process that dropped those of its parent would close the parent's connections.
_USED: dict[int, object] = {}

# Requests that are under way at the same time.
_REQUESTS = 64
# For HDF5 in a remote file: bytes of a request, and how many of these blocks are kept.
_BLOCK_BYTES, _BLOCKS = 16 * 2**20, 4
# A variable of gcsfs; who needs zonal buckets sets it to "true", and spawns processes.
_GRPC = "GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT"
# What fsspec needs for a scheme.
_CLIENTS = {"gs": "gcsfs", "gcs": "gcsfs", "s3": "s3fs"}


class RemoteFolder:
    """A folder on a file system of fsspec.

    Args:
        path: with its scheme.

    Raises:
        DatasetError: fsspec does not know the scheme.
        ImportError: fsspec, or what it needs for this scheme, is not installed; the message says how to install it.
    """

    def __init__(self, path: str) -> None:
        self._files: Any
        try:
            self._files, root = _file_system_of(path)
        except ImportError as error:
            needed = ["fsspec", *filter(None, [_CLIENTS.get(path.split(":", 1)[0])])]
            raise ImportError(f"{path}: {error}; {pip_install(*needed)}") from error
        except ValueError as error:
            raise DatasetError(f"{path}: {error}; fsspec knows no such file system") from error
        self._path = root.rstrip("/")
        _USED[id(self._files)] = self._files

    def read(self, path: str) -> bytes:
        return bytes(self._files.cat_file(f"{self._path}/{path}"))

    def list(self, path: str) -> dict[str, int | None]:
        folder = f"{self._path}/{path}".rstrip("/")
        # An earlier listing may be out of date.
        self._files.invalidate_cache(folder)
        try:
            entries = self._files.ls(folder, detail=True)
        except FileNotFoundError:
            return {}
        # Most file systems list a file as its own only entry.
        if any(entry["name"] == folder and entry["type"] == "file" for entry in entries):
            raise DatasetError(f"{folder} is a file; name the folder of a dataset")
        return {
            entry["name"].rstrip("/").rpartition("/")[2]: entry["size"] if entry["type"] == "file" else None
            for entry in entries
        }

    def open(self, path: str) -> OpenFile:
        return _RemoteFile(self._files, f"{self._path}/{path}")


def _file_system_of(path: str) -> tuple[Any, str]:
    """Returns the file system of a path, and the path there."""
    import fsspec  # needed only here

    if path.startswith(("gs://", "gcs://")) and _GRPC not in os.environ:
        # gcsfs asks by gRPC for the kind of a bucket, and gRPC hangs in processes that are forked after its use.
        from gcsfs.core import GCSFileSystem

        return GCSFileSystem(), GCSFileSystem._strip_protocol(path)
    files, root = fsspec.core.url_to_fs(path, **_more_connections(path, fsspec.config.conf))
    return files, root


def _more_connections(path: str, configured: Mapping[str, Any]) -> dict[str, Any]:
    """Returns what `url_to_fs` needs to have s3fs open more than 10 connections; `configured` is fsspec's."""
    if "s3://" not in path:
        return {}
    options = configured.get("s3", {}).get("config_kwargs", {})
    return {"s3": {"config_kwargs": {"max_pool_connections": _REQUESTS, **options}}}


class _RemoteFile:
    def __init__(self, files: Any, path: str) -> None:
        self.files = files
        self.path = path
        self._size = int(files.size(path))

    def size(self) -> int:
        return self._size

    def version(self) -> object:
        # Other attributes of an object depend on the request that returned them.
        return self._size

    def read_into(self, targets: Sequence[NDArray[np.uint8]], offset: int) -> None:
        read_all([Read(self, offset, list(targets), self.path)])

    def for_hdf5(self) -> BinaryIO:
        return cast(BinaryIO, _Blocks(self))

    def close(self) -> None:
        """Does nothing: each read is a request of its own."""


class _Blocks(io.RawIOBase):
    """A remote file for HDF5, which reads a few bytes here and there: each block is a request, and some are kept.

    (The file objects of fsspec have such blocks, too, but those of gcsfs are empty where one reaches past the end.)
    """

    def __init__(self, file: _RemoteFile) -> None:
        super().__init__()
        self._file = file
        self._position = 0
        self._blocks: OrderedDict[int, memoryview] = OrderedDict()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._file.size()}
        self._position = base[whence] + offset
        return self._position

    def tell(self) -> int:
        return self._position

    def readinto(self, target: Any, /) -> int:
        view, done = memoryview(target).cast("B"), 0
        while done < len(view) and self._position < self._file.size():
            number, start = divmod(self._position, _BLOCK_BYTES)
            part = self._block(number)[start : start + len(view) - done]
            view[done : done + len(part)] = part
            done += len(part)
            self._position += len(part)
        return done

    def _block(self, number: int) -> memoryview:
        if number not in self._blocks:
            start = number * _BLOCK_BYTES
            content = np.empty(min(_BLOCK_BYTES, self._file.size() - start), np.uint8)
            self._file.read_into([content], start)
            self._blocks[number] = content.data
            if len(self._blocks) > _BLOCKS:
                self._blocks.popitem(last=False)
        self._blocks.move_to_end(number)
        return self._blocks[number]


def _fetch(reads: Sequence[tuple[_RemoteFile, Read]]) -> Iterator[bytes | Exception]:
    """Requests what is read from files of the same file system, all at the same time."""
    if reads:
        files = reads[0][0].files
        yield from files.cat_ranges(
            [file.path for file, _ in reads],
            [read.offset for _, read in reads],
            [read.offset + read.size for _, read in reads],
            on_error="return",
            # The others read one after the other.
            **({"batch_size": _REQUESTS} if files.async_impl else {}),
        )


def _fill(read: Read, content: bytes | Exception) -> None:
    if isinstance(content, Exception):
        raise content
    if len(content) != read.size:
        raise EOFError(f"it ends before byte {read.offset + read.size}")
    start = 0
    for target in read.targets:
        target[:] = np.frombuffer(content, np.uint8, len(target), start)
        start += len(target)
