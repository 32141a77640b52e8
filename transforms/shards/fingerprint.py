"""What decides a shard's bytes, in one number: a shard whose fingerprint has not changed need not be written again."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterable, Sequence

from maskmill.format_version import current_format
from maskmill.transforms.examples.rle import unpack_runs
from maskmill.transforms.examples.spec import ExampleFormat, ExampleSpec
from maskmill.transforms.files.checksums import sha256_of
from maskmill.transforms.parallel.look_ahead import map_ahead, shared_pool, usable_cores
from maskmill.transforms.sink.read_ahead import read_ahead

_LOOK_AHEAD_PER_WORKER = 4

# What tells a changed image from an unchanged one, besides its size: when it was modified, or the sha256 of its bytes.
ImageVersion = float | str


def fingerprint_of(specs: Iterable[ExampleSpec], form: ExampleFormat, versions: Iterable[ImageVersion]) -> str:
    """sha256 over all that decides a shard's bytes, hexadecimal.

    Args:
        specs: of the shard's examples, in order.
        form: of the examples.
        versions: of the image of each example.
    """
    digest = hashlib.sha256(json.dumps([current_format(), form]).encode())
    for spec, version in zip(specs, versions, strict=True):
        digest.update(json.dumps([spec.image_id, spec.image.size, version]).encode())
        # The label is the union of the rows' masks: their order decides nothing.
        for class_id, packed in sorted((row.class_id, row.runs) for row in spec.rows):
            runs = unpack_runs(packed)
            digest.update(b"%d:%d:" % (class_id, len(runs)) + runs.astype("<u4").tobytes())
    return digest.hexdigest()


def modified_times(specs: Iterable[ExampleSpec]) -> list[ImageVersion]:
    """Versions of the images by what their folder's listing says; none is opened."""
    return [spec.image.modified for spec in specs]


def checksums(specs: Sequence[ExampleSpec], workers: int | None) -> list[ImageVersion]:
    """Versions of the images by their content, which is read in so many threads; None is one a core."""
    workers = workers or usable_cores()
    with contextlib.closing(read_ahead(specs)) as read:
        return list(map_ahead(_checksum, read, shared_pool(workers), workers * _LOOK_AHEAD_PER_WORKER))


def _checksum(read: tuple[ExampleSpec, bytes | None]) -> str:
    spec, data = read
    return sha256_of(spec.image.path) if data is None else hashlib.sha256(data).hexdigest()
