"""Reads the folder of a dataset on any file system of fsspec, such as an object store."""

from __future__ import annotations

import io
import os
import sys
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from maskmill.errors import DatasetError
from maskmill.folder import OpenFile, Read, unreadable
from maskmill.install_hint import pip_install


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

    def read_all(self, reads: Sequence[Read]) -> None:
        _read_at_once(self._files, reads)


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
        self._files = files
        self.path = path
        self._size = int(files.size(path))

    def size(self) -> int:
        return self._size

    def version(self) -> object:
        # Other attributes of an object depend on the request that returned them.
        return self._size

    def read_into(self, targets: Sequence[NDArray[np.uint8]], offset: int) -> None:
        _read_at_once(self._files, [Read(self, offset, list(targets), self.path)])

    def for_hdf5(self, block_bytes: int | None = None) -> BinaryIO:
        return cast(BinaryIO, _Blocks(self, block_bytes or _BLOCK_BYTES))

    def close(self) -> None:
        """Does nothing: each read is a request of its own."""


class _Blocks(io.RawIOBase):
    """A remote file for HDF5, which reads a few bytes here and there: each block is a request, and some are kept.

    (The file objects of fsspec have such blocks, too, but those of gcsfs are empty where one reaches past the end.)
    """

    def __init__(self, file: _RemoteFile, block_bytes: int) -> None:
        super().__init__()
        self._file = file
        self._block_bytes = block_bytes
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
            number, start = divmod(self._position, self._block_bytes)
            part = self._block(number)[start : start + len(view) - done]
            view[done : done + len(part)] = part
            done += len(part)
            self._position += len(part)
        return done

    def _block(self, number: int) -> memoryview:
        if number not in self._blocks:
            start = number * self._block_bytes
            content = np.empty(min(self._block_bytes, self._file.size() - start), np.uint8)
            self._file.read_into([content], start)
            self._blocks[number] = content.data
            if len(self._blocks) > _BLOCKS:
                self._blocks.popitem(last=False)
        self._blocks.move_to_end(number)
        return self._blocks[number]


def _read_at_once(files: Any, reads: Sequence[Read]) -> None:
    """Performs reads of files of a file system of fsspec; see `Folder.read_all`."""
    if not reads:
        return
    contents = files.cat_ranges(
        [cast(_RemoteFile, read.file).path for read in reads],
        [read.offset for read in reads],
        [read.offset + read.size for read in reads],
        on_error="return",
        # The others read one after the other.
        **({"batch_size": _REQUESTS} if files.async_impl else {}),
    )
    for read, content in zip(reads, contents, strict=True):
        try:
            _fill(read, content)
        except (EOFError, OSError) as error:
            raise unreadable(read, error) from error


def _fill(read: Read, content: bytes | Exception) -> None:
    if isinstance(content, Exception):
        raise content
    if len(content) != read.size:
        raise EOFError(f"it ends before byte {read.offset + read.size}")
    start = 0
    for target in read.targets:
        target[:] = np.frombuffer(content, np.uint8, len(target), start)
        start += len(target)
