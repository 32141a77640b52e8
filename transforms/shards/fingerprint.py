"""Computes the fingerprint of a shard: if it has not changed, the shard need not be written again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable

from maskmill.format_version import current_format
from maskmill.transforms.examples.rle import unpack_runs
from maskmill.transforms.examples.spec import ExampleFormat, ExampleSpec

# What tells a changed image of the same size: the time at which it was modified, or the sha256 of its content.
ImageVersion = float | str


def fingerprint_of(specs: Iterable[ExampleSpec], form: ExampleFormat, versions: Iterable[ImageVersion]) -> str:
    """Returns the sha256 over everything that decides a shard's bytes, hexadecimal.

    Args:
        specs: of the shard's examples, in order.
        form: of the examples.
        versions: of the image of each example.
    """
    # Later fields of the form come in where they are set: a shard without them keeps its fingerprint.
    resized, label, max_pixels, by_rows = form
    digest = hashlib.sha256(json.dumps([current_format(), [resized, label, max_pixels]]).encode())
    if by_rows:
        digest.update(b"by rows")
    for spec, version in zip(specs, versions, strict=True):
        digest.update(json.dumps([spec.image_id, spec.image.size, version]).encode())
        # A label is the union of its rows, in whatever order.
        for class_id, packed in sorted((row.class_id, row.runs) for row in spec.rows):
            runs = unpack_runs(packed)
            digest.update(b"%d:%d:" % (class_id, len(runs)) + runs.astype("<u4").tobytes())
    return digest.hexdigest()
