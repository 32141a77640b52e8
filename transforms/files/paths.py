"""Names of files on any file system."""

from __future__ import annotations

import os

from apache_beam.io.filesystems import FileSystems


def is_local(path: str) -> bool:
    """Whether a path is on the local file system."""
    return FileSystems.get_scheme(path) is None


def join(base: str, path: str) -> str:
    """A path below a folder; an absolute one, or one with a scheme such as `gs://`, stands for itself."""
    if "://" in path or os.path.isabs(path):
        return path
    return os.path.join(base, path) if is_local(base) else f"{base.rstrip('/')}/{path}"


def absolute(path: str) -> str:
    """The one spelling of a path, so that the same place is recognised when it is named twice."""
    return os.path.realpath(path) if is_local(path) else path.rstrip("/")
