"""Computes the fingerprint of a shard: if it has not changed, the shard need not be written again.

Each of its examples has two of its own, by which a person is told what has changed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from maskmill.format_version import current_format
from maskmill.transforms.examples.rle import unpack_runs
from maskmill.transforms.examples.spec import ExampleFormat, ExampleSpec
from maskmill.transforms.shards.records import ExampleVersion

# What tells a changed image of the same size: the time at which it was modified, or the sha256 of its content.
ImageVersion = float | str

_DIGITS = 8
# The fields of the form after `by_rows`.
_FIELDS_BY_NAME = slice(4, None)


class ShardVersion(NamedTuple):
    """Tells whether a shard has changed.

    Attributes:
        fingerprint: sha256 over everything that decides the shard's bytes, hexadecimal.
        examples: the versions of its examples, in order.
    """

    fingerprint: str
    examples: Sequence[ExampleVersion]


def version_of_shard(
    specs: Iterable[ExampleSpec], form: ExampleFormat, versions: Iterable[ImageVersion]
) -> ShardVersion:
    """Computes the fingerprint of a shard, and the versions of its examples.

    Args:
        specs: of the shard's examples, in order.
        form: of the examples.
        versions: of the image of each example.
    """
    # Later fields of the form come in where they are set: a shard without them keeps its fingerprint.
    resized, label, max_pixels, by_rows, *_ = form
    digest = hashlib.sha256(json.dumps([current_format(), [resized, label, max_pixels]]).encode())
    if by_rows:
        digest.update(b"by rows")
    for name in ExampleFormat._fields[_FIELDS_BY_NAME]:
        if (value := getattr(form, name)) != ExampleFormat._field_defaults[name]:
            digest.update(json.dumps([name, value]).encode())
    examples = []
    for spec, version in zip(specs, versions, strict=True):
        image, mask = json.dumps([spec.image_id, spec.image.size, version]).encode(), _rows_of(spec)
        digest.update(image + mask)
        examples.append(ExampleVersion(spec.image_id, _short(image), _short(mask)))
    return ShardVersion(digest.hexdigest(), examples)


def _rows_of(spec: ExampleSpec) -> bytes:
    """Writes the rows of an example: a label is their union, in whatever order."""
    text = b""
    for class_id, packed in sorted((row.class_id, row.runs) for row in spec.rows):
        runs = unpack_runs(packed)
        text += b"%d:%d:" % (class_id, len(runs)) + runs.astype("<u4").tobytes()
    return text


def _short(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()[:_DIGITS]
