"""What maskmill needs of a store of objects."""

from __future__ import annotations

import abc
import io
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, NamedTuple

from apache_beam.options.pipeline_options import PipelineOptions

# Version of an object that is not there.
ABSENT = ""


class FileInfo(NamedTuple):
    """A file of a folder: its path, its size in bytes, and when it was modified, in seconds since the epoch."""

    path: str
    size: int
    modified: float

    @property
    def name(self) -> str:
        """Its name in the folder."""
        return self.path.rsplit("/", 1)[-1]


class Content(NamedTuple):
    """What an object holds, and which version of it that is."""

    data: bytes
    version: str


class ObjectStore(abc.ABC):
    """A store of objects; an object exists as a whole or not at all. All errors are OSErrors.

    Objects are named by whole paths such as `gs://bucket/name`. Many threads may call the methods at the same time.
    `stores` lists the classes.

    Attributes:
        scheme: first part of the paths, before `://`.
        requirement: what pip has to install for the client.

    Args:
        options: of the pipeline; credentials and the address of the store, if they are not the usual ones.

    Raises:
        ImportError: the client is not installed.
    """

    scheme: ClassVar[str]
    requirement: ClassVar[str]

    @abc.abstractmethod
    def __init__(self, options: PipelineOptions) -> None: ...

    @abc.abstractmethod
    def read(self, path: str) -> Content:
        """What an object holds.

        Raises:
            FileNotFoundError: there is no such object.
        """

    @abc.abstractmethod
    def read_range(self, path: str, start: int, stop: int) -> bytes:
        """The bytes of an object from one offset to another, as far as it has them.

        Raises:
            FileNotFoundError: there is no such object.
        """

    @abc.abstractmethod
    def list(self, prefix: str, *, below: bool = False) -> Iterator[FileInfo]:
        """Objects whose paths begin with a prefix, ordered by name.

        Args:
            prefix: of the paths.
            below: whether also those are meant that have a `/` after the prefix.
        """

    @abc.abstractmethod
    def write(self, path: str, content: bytes) -> None:
        """Makes an object, or replaces one."""

    @abc.abstractmethod
    def swap(self, path: str, content: bytes, version: str) -> str | None:
        """Makes or replaces an object only where a certain version of it is there.

        Args:
            path: of the object.
            content: that it is to hold.
            version: that is to be there; `ABSENT` for none.

        Returns:
            the new version; None where another one was there. As an answer may be lost and the request repeated, that
            other one may be the work of this very call.
        """

    @abc.abstractmethod
    def upload(self, local: str, path: str) -> None:
        """Makes an object of a local file."""

    @abc.abstractmethod
    def copy(self, pairs: Sequence[tuple[str, str]]) -> None:
        """Copies objects, (source, target) each, over those that are there."""

    @abc.abstractmethod
    def delete(self, paths: Sequence[str]) -> None:
        """Removes objects; one that is not there is fine."""


class ObjectReader(io.RawIOBase):
    """Reads an object piece by piece."""

    def __init__(self, store: ObjectStore, path: str) -> None:
        super().__init__()
        self._store = store
        self._path = path
        self._offset = 0

    def readable(self) -> bool:
        """True."""
        return True

    def seekable(self) -> bool:
        """True, but not from the end."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Goes to an offset."""
        if whence not in (io.SEEK_SET, io.SEEK_CUR):
            raise io.UnsupportedOperation("the end is not known")
        self._offset = offset if whence == io.SEEK_SET else self._offset + offset
        return self._offset

    def readinto(self, target: Any) -> int:
        """Reads as much as there is room for, up to the end."""
        content = self._store.read_range(self._path, self._offset, self._offset + len(target))
        target[: len(content)] = content
        self._offset += len(content)
        return len(content)


def parse_path(path: str) -> tuple[str, str]:
    """Bucket and name of an object."""
    bucket, _, name = path.split("://", 1)[1].partition("/")
    return bucket, name


def not_found(path: str) -> FileNotFoundError:
    return FileNotFoundError(2, "No such object", path)
