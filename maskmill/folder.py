"""The folder of a dataset, on this machine or on any file system of fsspec."""

from __future__ import annotations

import contextlib
import os
from typing import Any, BinaryIO, Protocol

import numpy as np
from numpy.typing import NDArray

from maskmill.errors import DatasetError
from maskmill.install_hint import pip_install


class OpenFile(Protocol):
    """A file of which any part can be read."""

    def size(self) -> int:
        """In bytes."""

    def version(self) -> object:
        """What tells it from a file that takes its place, as far as that is known."""

    def read_into(self, target: NDArray[np.uint8], offset: int) -> None:
        """Fills an array, uint8 [n] in C order, with what stands in the file from `offset` on.

        Raises:
            EOFError: the file ends before.
            OSError: it cannot be read.
        """

    def for_hdf5(self) -> BinaryIO:
        """The file for h5py, opened once more: HDF5 refuses one that is open under its name in another way."""

    def close(self) -> None:
        """Gives the file back."""


class Folder(Protocol):
    """Where a dataset lies."""

    def read(self, path: str) -> bytes:
        """The content of a file below the folder.

        Raises:
            FileNotFoundError: there is none.
        """

    def list(self, path: str) -> dict[str, int | None]:
        """What is in a folder below this one, by name: of a file its size in bytes, None for a folder.

        There is nothing in a folder that is not there.

        Raises:
            DatasetError: it is a file.
        """

    def open(self, path: str) -> OpenFile:
        """Opens a file below the folder.

        Raises:
            FileNotFoundError: there is none.
        """


def folder_of(path: str) -> Folder:
    """The folder with a path: of this machine, or where it has a scheme, `gs://…`, what fsspec makes of it."""
    return RemoteFolder(path) if "://" in path or "::" in path else LocalFolder(path)


class LocalFolder:
    """A folder of this machine.

    Args:
        path: of the folder.
    """

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
                # One that has vanished since, or a link that leads nowhere, is not there.
                with contextlib.suppress(FileNotFoundError):
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
        # Not the inode: mounted stores number their files anew.
        return status.st_size, status.st_mtime_ns

    def read_into(self, target: NDArray[np.uint8], offset: int) -> None:
        view = memoryview(target.data)
        while view:
            count = os.preadv(self._file.fileno(), [view], offset)
            if not count:
                raise EOFError(f"{self._path}: ends before byte {offset + len(view)}")
            view, offset = view[count:], offset + count

    def for_hdf5(self) -> BinaryIO:
        return open(self._path, "rb")

    def close(self) -> None:
        self._file.close()


# What fsspec needs for a scheme.
_CLIENTS = {"gs": "gcsfs", "gcs": "gcsfs", "s3": "s3fs"}


class RemoteFolder:
    """A folder on a file system of fsspec.

    Args:
        path: of the folder, with its scheme.

    Raises:
        DatasetError: fsspec does not know the scheme.
        ImportError: fsspec is not installed, or what it needs for this scheme.
    """

    def __init__(self, path: str) -> None:
        self._files: Any
        try:
            import fsspec  # needed only here

            self._files, root = fsspec.core.url_to_fs(path)
        except ImportError as error:
            needed = ["fsspec", *filter(None, [_CLIENTS.get(path.split(":", 1)[0])])]
            raise ImportError(f"{path}: {error}; {pip_install(*needed)}") from error
        except ValueError as error:
            raise DatasetError(f"{path}: {error}; fsspec knows no such file system") from error
        self._path = root.rstrip("/")

    def read(self, path: str) -> bytes:
        return bytes(self._files.cat_file(f"{self._path}/{path}"))

    def list(self, path: str) -> dict[str, int | None]:
        folder = f"{self._path}/{path}".rstrip("/")
        # What was listed before may have been replaced since.
        self._files.invalidate_cache(folder)
        try:
            entries = self._files.ls(folder, detail=True)
        except FileNotFoundError:
            return {}
        # Most file systems list a file as if it were in itself.
        if any(entry["name"] == folder and entry["type"] == "file" for entry in entries):
            raise DatasetError(f"{folder} is a file; name the folder of a dataset")
        return {
            entry["name"].rstrip("/").rpartition("/")[2]: entry["size"] if entry["type"] == "file" else None
            for entry in entries
        }

    def open(self, path: str) -> OpenFile:
        return _RemoteFile(self._files, f"{self._path}/{path}")


class _RemoteFile:
    def __init__(self, files: Any, path: str) -> None:
        self._files = files
        self._path = path
        self._size = int(files.size(path))

    def size(self) -> int:
        return self._size

    def version(self) -> object:
        # What else a store says of an object depends on the request that has asked for it.
        return self._size

    def read_into(self, target: NDArray[np.uint8], offset: int) -> None:
        content = self._files.cat_file(self._path, start=offset, end=offset + target.size)
        if len(content) != target.size:
            raise EOFError(f"{self._path}: ends before byte {offset + target.size}")
        target[:] = np.frombuffer(content, np.uint8)

    def for_hdf5(self) -> BinaryIO:
        file: BinaryIO = self._files.open(self._path, "rb")
        return file

    def close(self) -> None:
        """There is nothing to give back."""
