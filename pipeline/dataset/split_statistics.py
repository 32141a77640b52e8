"""Computes what manifest.json says of the pixels and classes of a split."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from maskmill.statistics import statistics_of
from maskmill.transforms.examples.label import LabelFormat
from maskmill.transforms.examples.spec import ExampleFormat
from maskmill.transforms.shards.records import StoredShard


def distinguished_classes(label: LabelFormat, class_names: Sequence[str]) -> list[str]:
    """Returns the names of the classes that labels distinguish: one name if they unite several classes."""
    return list(class_names) if label.num_areas == len(class_names) else [f"any of {', '.join(class_names)}"]


def split_statistics(
    shards: Sequence[StoredShard], form: ExampleFormat, class_names: Sequence[str]
) -> dict[str, Any] | None:
    """Returns the statistics of a split by the names of the classes that its labels distinguish.

    Args:
        shards: of the split.
        form: of its examples.
        class_names: names of `form.label.classes`.

    Returns:
        `maskmill.Statistics` as plain data, where a weight is None if no pixel is of the class. None if there are no
        examples, or the shards are only planned.
    """
    examples = sum(shard.examples for shard in shards)
    # Without labels there are no areas, but a shard that is only planned has no checksum.
    if not examples or not all(shard.areas if form.labelled else shard.sha256 for shard in shards):
        return None
    names = distinguished_classes(form.label, class_names) if form.labelled else []
    pixel_sums = [sum(numbers) for numbers in zip(*(shard.pixel_sums for shard in shards), strict=True)]
    areas = [sum(numbers) for numbers in zip(*(shard.areas for shard in shards), strict=True)]
    pixels = sum(shard.valid_pixels for shard in shards) or examples * math.prod(form.size)
    found = statistics_of(pixels, pixel_sums, areas)
    weights = [weight if area else None for weight, area in zip(found.pos_weight.tolist(), areas, strict=True)]
    return {
        "mean": found.mean if isinstance(found.mean, float) else found.mean.tolist(),
        "std": found.std if isinstance(found.std, float) else found.std.tolist(),
        "pixel_share": dict(zip(names, found.pixel_share.tolist(), strict=True)),
        "pos_weight": dict(zip(names, weights, strict=True)),
    }
