"""Reads images from an object store ahead of the decoding."""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Sequence

from maskmill.transforms.examples.spec import ExampleSpec
from maskmill.transforms.files.paths import is_local
from maskmill.transforms.files.read_write import read_bytes
from maskmill.transforms.parallel.look_ahead import map_ahead, shared_pool

# Images that are read at the same time: each request waits for its answer.
READ_AHEAD = 16
READ_AHEAD_BYTES = 2**26


def largest_read_ahead(specs: Sequence[ExampleSpec]) -> int:
    """Returns the bytes of the largest image; 0 if the images are local, and not read ahead."""
    if not specs or is_local(specs[0].image.path):
        return 0
    return max(1, max(spec.image.size for spec in specs))


def read_ahead(specs: Sequence[ExampleSpec]) -> Generator[tuple[ExampleSpec, bytes | None], None, None]:
    """Yields each example with the bytes of its image; None for a local image, which is read where it is decoded."""
    largest = largest_read_ahead(specs)
    if not largest:
        yield from ((spec, None) for spec in specs)
        return
    window = max(1, min(READ_AHEAD, READ_AHEAD_BYTES // largest))
    pool = shared_pool(READ_AHEAD, "read")
    with contextlib.closing(map_ahead(lambda spec: read_bytes(spec.image.path), specs, pool, window)) as images:
        yield from zip(specs, images, strict=True)
