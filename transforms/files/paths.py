"""Handles paths on any file system."""

from __future__ import annotations

import os

from apache_beam.io.filesystems import FileSystems


def is_local(path: str) -> bool:
    """Returns whether a path is on the local file system."""
    return FileSystems.get_scheme(path) is None


def join(base: str, path: str) -> str:
    """Joins a folder and a path; a path that is absolute or has a scheme such as `gs://` is returned as it is."""
    if "://" in path or os.path.isabs(path):
        return path
    return os.path.join(base, path) if is_local(base) else f"{base.rstrip('/')}/{path}"


def absolute(path: str) -> str:
    """Returns the one spelling of a path, so that two spellings of the same place compare equal."""
    return os.path.realpath(path) if is_local(path) else path.rstrip("/")
