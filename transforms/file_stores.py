"""Which store of objects a path is in."""

from __future__ import annotations

import threading
from collections.abc import Callable

from apache_beam.io.filesystems import FileSystems
from apache_beam.options.pipeline_options import PipelineOptions

from transforms.amazon_s3 import AmazonS3
from transforms.google_cloud_storage import GoogleCloudStorage
from transforms.object_store import ObjectStore
from transforms.os_errors import as_os_error

_KINDS: dict[str, Callable[[PipelineOptions], ObjectStore]] = {"gs": GoogleCloudStorage, "s3": AmazonS3}


_STORES: dict[Callable[[PipelineOptions], ObjectStore], tuple[PipelineOptions | None, ObjectStore]] = {}


_LOCK = threading.Lock()


def store_of(path: str) -> ObjectStore | None:
    """The store that a path is in; None for other file systems.

    It is made of the options that `FileSystems` has in this process, and kept.
    """
    kind = _KINDS.get(FileSystems.get_scheme(path) or "")
    if kind is None:
        return None
    options = FileSystems._pipeline_options
    with _LOCK:
        if kind not in _STORES or _STORES[kind][0] is not options:
            with as_os_error(path):
                _STORES[kind] = options, kind(options or PipelineOptions([]))
        return _STORES[kind][1]
