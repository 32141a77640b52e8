"""Which store of objects a path is in."""

from __future__ import annotations

import threading
from collections.abc import Callable

from apache_beam.io.filesystems import FileSystems
from apache_beam.options.pipeline_options import PipelineOptions

from maskmill.transforms.files.amazon_s3 import AmazonS3
from maskmill.transforms.files.errors import NoFileSystemError, as_os_error
from maskmill.transforms.files.google_cloud_storage import GoogleCloudStorage
from maskmill.transforms.files.object_store import ObjectStore

_KINDS: dict[str, Callable[[PipelineOptions], ObjectStore]] = {"gs": GoogleCloudStorage, "s3": AmazonS3}
# Of the package, by scheme: what the classes above import.
_EXTRAS = {"gs": "gcp", "s3": "aws"}
_stores: dict[str, tuple[PipelineOptions | None, ObjectStore]] = {}
_known_to_beam: set[str] = set()
_lock = threading.Lock()


def store_of(path: str) -> ObjectStore | None:
    """The store that a path is in; None for other file systems.

    It is made of the options that `FileSystems` has in this process, and kept.

    Raises:
        NoFileSystemError: the path is of a file system that cannot be used here.
        OSError: the store's client cannot be made.
    """
    scheme = FileSystems.get_scheme(path)
    if scheme is None:
        return None
    if scheme not in _KINDS:
        _check_known(scheme, path)
        return None
    options = FileSystems._pipeline_options
    with _lock:
        if scheme not in _stores or _stores[scheme][0] is not options:
            _stores[scheme] = options, _make_store(scheme, path, options or PipelineOptions([]))
        return _stores[scheme][1]


def _make_store(scheme: str, path: str, options: PipelineOptions) -> ObjectStore:
    with as_os_error(path):
        try:
            return _KINDS[scheme](options)
        except ImportError as error:
            advice = f"install maskmill with its extra [{_EXTRAS[scheme]}]"
            raise NoFileSystemError(f"{path}: the client for {scheme}:// is missing; {advice}") from error


def _check_known(scheme: str, path: str) -> None:
    if scheme in _known_to_beam:
        return
    try:
        FileSystems.get_filesystem(path)
    except Exception as error:
        raise NoFileSystemError(f"{path}: Apache Beam has no file system for {scheme}:// here ({error})") from error
    _known_to_beam.add(scheme)
