"""Defines what maskmill needs from an object store."""

from __future__ import annotations

import abc
import io
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, NamedTuple

from apache_beam.options.pipeline_options import PipelineOptions

# The version of an object that does not exist.
ABSENT = ""


class FileInfo(NamedTuple):
    """A file in a folder: its path, its size in bytes, and its time of modification in seconds since the epoch."""

    path: str
    size: int
    modified: float

    @property
    def name(self) -> str:
        """Name of the file in its folder."""
        return self.path.rsplit("/", 1)[-1]


class Content(NamedTuple):
    """The content of an object, and the version that it is."""

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
        """Reads an object.

        Raises:
            FileNotFoundError: there is no such object.
        """

    @abc.abstractmethod
    def read_range(self, path: str, start: int, stop: int) -> bytes:
        """Reads the bytes of an object from `start` to `stop`, or to its end if that comes first.

        Raises:
            FileNotFoundError: there is no such object.
        """

    @abc.abstractmethod
    def list(self, prefix: str, *, below: bool = False) -> Iterator[FileInfo]:
        """Lists the objects whose paths begin with a prefix, ordered by name.

        Args:
            prefix: of the paths.
            below: whether to include paths with a `/` after the prefix.
        """

    @abc.abstractmethod
    def write(self, path: str, content: bytes) -> None:
        """Creates or replaces an object."""

    @abc.abstractmethod
    def swap(self, path: str, content: bytes, version: str) -> str | None:
        """Creates or replaces an object if its version is the expected one.

        Args:
            path: of the object.
            content: the new content.
            version: the expected version; `ABSENT` if the object must not exist.

        Returns:
            the new version; None if another version was found. If an answer is lost and the client repeats the request,
            that version may have been written by this very call.
        """

    @abc.abstractmethod
    def upload(self, local: str, path: str) -> None:
        """Creates or replaces an object with the content of a local file."""

    @abc.abstractmethod
    def copy(self, pairs: Sequence[tuple[str, str]]) -> None:
        """Copies objects, (source, target) each; replaces the targets."""

    @abc.abstractmethod
    def delete(self, paths: Sequence[str]) -> None:
        """Removes objects; those that do not exist are ignored."""


class ObjectReader(io.RawIOBase):
    """Reads an object piece by piece: one request for each read."""

    def __init__(self, store: ObjectStore, path: str) -> None:
        super().__init__()
        self._store = store
        self._path = path
        self._offset = 0

    def readable(self) -> bool:
        """True."""
        return True

    def seekable(self) -> bool:
        """True, although not from the end."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Moves to an offset."""
        if whence not in (io.SEEK_SET, io.SEEK_CUR):
            raise io.UnsupportedOperation("the end of an object is not known")
        self._offset = offset if whence == io.SEEK_SET else self._offset + offset
        return self._offset

    def readinto(self, target: Any) -> int:
        """Fills the target, or as much of it as is left of the object."""
        content = self._store.read_range(self._path, self._offset, self._offset + len(target))
        target[: len(content)] = content
        self._offset += len(content)
        return len(content)


def parse_path(path: str) -> tuple[str, str]:
    """Splits a path into bucket and name."""
    bucket, _, name = path.split("://", 1)[1].partition("/")
    return bucket, name


def not_found(path: str) -> FileNotFoundError:
    return FileNotFoundError(2, "No such object", path)
