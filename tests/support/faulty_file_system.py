"""`faulty://`: a file system that behaves like an object store, in a local folder, with calls that fail on request.

An object `faulty:///tmp/a/b` is the file `/tmp/a/b`, so that tests can look at it; but as in a store there are no
folders, an object appears when its handle is closed, a new one cannot be sought in, renaming copies, deletes and
overwrites in silence, and what is to be deleted is a pattern (as on GCS) or just a name (as on S3).

Beam finds the class by itself once this module is imported.
"""

from __future__ import annotations

import contextlib
import io
import os
import posixpath
import shutil
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, cast

from apache_beam.io.filesystem import BeamIOError, CompressionTypes, FileMetadata, FileSystem

from tests.support.faults import Faults

PREFIX = "faulty://"
FAULTS = Faults()


class NotFoundError(Exception):
    """There is no such object; like the error of a store's client library it is no OSError."""


def faulty(path: Path) -> str:
    """The name of an object."""
    return f"{PREFIX}{path}"


def _file(path: str) -> Path:
    """The file of an object."""
    assert path.startswith(PREFIX), path
    return Path(path.removeprefix(PREFIX))


def _existing_file(path: str) -> Path:
    if not _file(path).is_file():
        raise NotFoundError(f"404 {path}")
    return _file(path)


class FaultyFileSystem(FileSystem):
    """See the module.

    Attributes:
        deletes_patterns: whether the argument of `delete` is a pattern.
    """

    deletes_patterns = True

    @classmethod
    def scheme(cls) -> str:
        return "faulty"

    def join(self, basepath: str, *paths: str) -> str:
        return "/".join([basepath.rstrip("/"), *(path.strip("/") for path in paths)])

    def split(self, path: str) -> tuple[str, str]:
        return posixpath.split(path)

    def mkdirs(self, path: str) -> None:
        """There are no folders to make."""

    def has_dirs(self) -> bool:
        return False

    def _list(self, dir_or_prefix: str) -> Iterator[FileMetadata]:
        parent = _file(dir_or_prefix).parent if not dir_or_prefix.endswith("/") else _file(dir_or_prefix)
        files = FAULTS.call("list", dir_or_prefix, lambda: sorted(parent.rglob("*")))
        names = (faulty(file) for file in files if file.is_file())
        return (self._status(name) for name in names if name.startswith(dir_or_prefix))

    def _status(self, path: str) -> FileMetadata:
        status = _existing_file(path).stat()
        return FileMetadata(path, status.st_size, status.st_mtime)

    def create(self, path: str, mime_type: str = "", compression_type: str = CompressionTypes.AUTO) -> BinaryIO:
        assert compression_type == CompressionTypes.UNCOMPRESSED
        return FAULTS.call("create", path, lambda: cast(BinaryIO, _Upload(path)))

    def open(self, path: str, mime_type: str = "", compression_type: str = CompressionTypes.AUTO) -> BinaryIO:
        assert compression_type == CompressionTypes.UNCOMPRESSED
        return FAULTS.call("open", path, lambda: cast(BinaryIO, io.BufferedReader(_Download(path))))

    def copy(self, source_file_names: Sequence[str], destination_file_names: Sequence[str]) -> None:
        self._each("copy", _copy, source_file_names, destination_file_names)

    def rename(self, source_file_names: Sequence[str], destination_file_names: Sequence[str]) -> None:
        self._each("rename", _rename, source_file_names, destination_file_names, spoil=_copy)

    def delete(self, paths: Sequence[str]) -> None:
        self._each("delete", self._delete, paths)

    def _delete(self, path: str) -> None:
        if path.endswith("/"):
            names = [one.path for one in self._list(path)]
        else:
            names = [one.path for one in self.match([path])[0].metadata_list] if self.deletes_patterns else [path]
        for name in names:
            _remove(_file(name))

    def _each(
        self,
        operation: str,
        function: Callable[..., None],
        *names: Sequence[str],
        spoil: Callable[..., None] = lambda *_: None,
    ) -> None:
        """Does an operation for each of some objects; as in the stores the errors are gathered."""
        errors: dict[Any, Exception] = {}
        for one in zip(*names, strict=True):
            try:
                FAULTS.call(operation, one[0], lambda one=one: function(*one), spoil=lambda one=one: spoil(*one))
            except Exception as error:  # noqa: BLE001
                errors[one] = error
        if errors:
            raise BeamIOError(f"{operation} failed", errors)

    def exists(self, path: str) -> bool:
        return FAULTS.call("exists", path, _file(path).is_file)

    def size(self, path: str) -> int:
        return self.metadata(path).size_in_bytes

    def last_updated(self, path: str) -> float:
        return self.metadata(path).last_updated_in_seconds

    def metadata(self, path: str) -> FileMetadata:
        return FAULTS.call("metadata", path, lambda: self._status(path))


def _copy(source: str, target: str) -> None:
    """Copies an object; it appears as a whole."""
    part = _part(_file(target))
    shutil.copyfile(_existing_file(source), part)
    os.replace(part, _file(target))


def _rename(source: str, target: str) -> None:
    _copy(source, target)
    _remove(_file(source))


def _part(file: Path) -> Path:
    """Where an object is made: not where objects are looked for."""
    file.parent.mkdir(parents=True, exist_ok=True)
    return Path("/tmp") / f"faulty-{uuid.uuid4().hex}"


def _remove(file: Path) -> None:
    """Removes an object, and the folders that are there for it only."""
    file.unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        for parent in file.parents:
            parent.rmdir()


class _Upload(io.RawIOBase):
    """A new object; it appears when it is closed, with what was written, also where an error came before its end."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self._path = path
        self._content = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, content: Any, /) -> int:
        data = bytes(content)
        half = data[: len(data) // 2]
        FAULTS.call("write", self._path, lambda: self._content.extend(data), spoil=lambda: self._content.extend(half))
        return len(data)

    def close(self) -> None:
        if not self.closed:
            super().close()
            FAULTS.call("close", self._path, self._publish)

    def _publish(self) -> None:
        part = _part(_file(self._path))
        part.write_bytes(self._content)
        os.replace(part, _file(self._path))


class _Download(io.FileIO):
    """An object that is read."""

    def __init__(self, path: str) -> None:
        super().__init__(_existing_file(path))
        self._path = path

    def readinto(self, target: Any, /) -> int | None:
        return FAULTS.call("read", self._path, lambda: super(_Download, self).readinto(target))

    def readall(self) -> bytes:
        return FAULTS.call("read", self._path, super().readall)
