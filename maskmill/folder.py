"""Reads the folder of a dataset: what a folder is, and the local one; `remote_folder` has the others."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from typing import BinaryIO, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from maskmill.errors import DatasetError
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

    def for_hdf5(self, block_bytes: int | None = None) -> BinaryIO:
        """Opens the file once more, for h5py: HDF5 refuses a file that the process has open in another way.

        Args:
            block_bytes: bytes of a request if the file is remote; None is as many as it takes to read all examples.
        """

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


def read_in_order(reads: Sequence[Read]) -> None:
    """Performs reads one after the other, as `Folder.read_all`."""
    for read in reads:
        try:
            read.file.read_into(read.targets, read.offset)
        except (EOFError, OSError) as error:
            raise unreadable(read, error) from error


def unreadable(read: Read, error: Exception) -> DatasetError:
    """Makes the error of a read that failed."""
    return DatasetError(f"{read.name} cannot be read: {error}")


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

    def read_all(self, reads: Sequence[Read]) -> None:
        """Performs reads of files that this folder has opened, all at the same time if that is faster.

        Raises:
            DatasetError: something cannot be read.
        """


def folder_of(path: str) -> Folder:
    """Returns the folder at a path: a local one, or fsspec's if the path has a scheme such as `gs://`."""
    if "://" not in path and "::" not in path:
        return LocalFolder(path)
    from maskmill.remote_folder import RemoteFolder  # needed only here

    return RemoteFolder(path)


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

    def read_all(self, reads: Sequence[Read]) -> None:
        read_in_order(reads)


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

    def for_hdf5(self, block_bytes: int | None = None) -> BinaryIO:
        return open(self._path, "rb")

    def close(self) -> None:
        self._file.close()
