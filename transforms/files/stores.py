"""Finds the object store that a path names."""

from __future__ import annotations

import threading
from collections.abc import Mapping

from apache_beam.io.filesystems import FileSystems
from apache_beam.options.pipeline_options import PipelineOptions

from maskmill.install_hint import pip_install
from maskmill.transforms.files.amazon_s3 import AmazonS3
from maskmill.transforms.files.errors import NoFileSystemError, as_os_error
from maskmill.transforms.files.google_cloud_storage import GoogleCloudStorage
from maskmill.transforms.files.object_store import ObjectStore

# Every store that has a client here; Beam knows other file systems.
STORES: Mapping[str, type[ObjectStore]] = {store.scheme: store for store in (GoogleCloudStorage, AmazonS3)}

_stores: dict[str, tuple[PipelineOptions | None, ObjectStore]] = {}
_known_to_beam: set[str] = set()
_lock = threading.Lock()


def store_of(path: str) -> ObjectStore | None:
    """Returns the store that a path is in; None for other file systems.

    The store is made with the options that `FileSystems` has in this process, and made again when they change.

    Raises:
        NoFileSystemError: the path is on a file system that cannot be used here.
        OSError: the store's client cannot be made.
    """
    scheme = FileSystems.get_scheme(path)
    if scheme is None:
        return None
    if scheme not in STORES:
        _check_known(scheme, path)
        return None
    options = FileSystems._pipeline_options
    with _lock:
        if scheme not in _stores or _stores[scheme][0] is not options:
            _stores[scheme] = options, _make_store(STORES[scheme], path, options or PipelineOptions([]))
        return _stores[scheme][1]


def _make_store(store: type[ObjectStore], path: str, options: PipelineOptions) -> ObjectStore:
    with as_os_error(path):
        try:
            return store(options)
        except ImportError as error:
            problem = f"the client for {store.scheme}:// is not installed"
            raise NoFileSystemError(f"{path}: {problem}; run: {pip_install(store.requirement)}") from error


def _check_known(scheme: str, path: str) -> None:
    if scheme in _known_to_beam:
        return
    try:
        FileSystems.get_filesystem(path)
    except Exception as error:
        raise NoFileSystemError(f"{path}: Apache Beam has no file system for {scheme}:// here ({error})") from error
    _known_to_beam.add(scheme)
