"""Errors of any file system as errors of the operating system."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator


class NoFileSystemError(OSError):
    """A path is of a file system that cannot be used here; the message says what to do."""


@contextlib.contextmanager
def as_os_error(path: str) -> Iterator[None]:
    """Has every error be an OSError that names the file.

    Those of a store's client library are of kinds of its own, and those of an open file have no name. A ValueError of
    a local path, which cannot be one, stays what it is.
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
