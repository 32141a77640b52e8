"""Handles paths on any file system."""

from __future__ import annotations

import os

from apache_beam.io.filesystems import FileSystems

from maskmill.names import is_utf8
from maskmill.transforms.files.errors import NameNotUtf8Error


def is_local(path: str) -> bool:
    """Returns whether a path is on the local file system."""
    return FileSystems.get_scheme(path) is None


def join(base: str, path: str) -> str:
    """Joins a folder and a path; a path that is absolute or has a scheme such as `gs://` is returned as it is."""
    if "://" in path or os.path.isabs(path):
        return path
    return os.path.join(base, path) if is_local(base) else f"{base.rstrip('/')}/{path}"


def absolute(path: str) -> str:
    """Returns the one spelling of a path, so that two spellings of the same place compare equal.

    Raises:
        NameNotUtf8Error: the path, or the place that it is a link to, has such a name.
    """
    found = os.path.realpath(path) if is_local(path) else path.rstrip("/")
    if not is_utf8(found):
        raise NameNotUtf8Error(found)
    return found
