"""Converts the errors of every file system to OSError."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from maskmill.transforms.files.file_names import shown_path


class NoFileSystemError(OSError):
    """A path is on a file system that cannot be used here; the message says what to do."""


class NameNotUtf8Error(OSError):
    """The name of a file or folder is not UTF-8, so that neither JSON nor HDF5 can hold its path."""

    def __init__(self, path: str) -> None:
        super().__init__(f"{shown_path(path)}: the name is not UTF-8; rename it, or name another path")


@contextlib.contextmanager
def as_os_error(path: str) -> Iterator[None]:
    """Converts errors that the body raises to OSErrors that name the file.

    The client library of a store has exceptions of its own, and errors of an open file do not name it. A ValueError for
    a local path, one that cannot exist, passes unchanged.
    """
    try:
        yield
    except OSError as error:
        if error.errno is None or error.filename is not None:
            raise
        raise OSError(error.errno, error.strerror, path) from error
    except Exception as error:
        if isinstance(error, ValueError) and "://" not in path:
            raise
        raise OSError(f"{path}: {error}") from error
