"""Tells changed images from unchanged ones: by size and time, or by content."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterable, Sequence

from maskmill.transforms.examples.spec import ExampleSpec
from maskmill.transforms.files.checksums import sha256_of
from maskmill.transforms.parallel.look_ahead import map_ahead, shared_pool, usable_cores
from maskmill.transforms.shards.fingerprint import ImageVersion
from maskmill.transforms.sink.read_ahead import read_ahead

_LOOK_AHEAD_PER_WORKER = 4


def modified_times(specs: Iterable[ExampleSpec]) -> list[ImageVersion]:
    """Returns the time at which each image was modified, as its folder was listed; opens none."""
    return [spec.image.modified for spec in specs]


def content_hashes(specs: Sequence[ExampleSpec], workers: int | None) -> list[ImageVersion]:
    """Returns the sha256 of each image; reads them all.

    Args:
        specs: of the examples.
        workers: threads that read; None is one per core.

    Raises:
        OSError: an image cannot be read.
    """
    workers = workers or usable_cores()
    with contextlib.closing(read_ahead(specs)) as images:
        return list(map_ahead(_content_hash, images, shared_pool(workers), workers * _LOOK_AHEAD_PER_WORKER))


def _content_hash(read: tuple[ExampleSpec, bytes | None]) -> str:
    spec, data = read
    return sha256_of(spec.image.path) if data is None else hashlib.sha256(data).hexdigest()
