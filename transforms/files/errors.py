"""Converts the errors of every file system to OSError."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator


class NoFileSystemError(OSError):
    """A path is on a file system that cannot be used here; the message says what to do."""


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
