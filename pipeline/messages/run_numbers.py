"""Collects the numbers of a run for programs: the last object of the log, and the file of metrics."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from maskmill.transforms.shards.records import KEPT, REUSED, WRITTEN


@dataclasses.dataclass(frozen=True)
class RunNumbers:
    """The numbers of a dataset, and of the run that made or checked it.

    Attributes:
        rows: number of rows that were read.
        examples: number of examples, by split.
        bytes: size of the shards, by split.
        shards: number of shards, by split, and by what the run did: written, kept, reused.
        rejected: number of rejected rows and images, by code.
    """

    rows: int
    examples: Mapping[str, int]
    bytes: Mapping[str, int]
    shards: Mapping[str, Mapping[str, int]]
    rejected: Mapping[str, int]


def numbers_of(manifest: Mapping[str, Any], run: Mapping[str, Any] | None) -> RunNumbers:
    """Collects the numbers of a run.

    Args:
        manifest: content of manifest.json.
        run: entry of the run in the history; None if there was nothing to do.
    """
    splits = manifest["splits"]
    kept = {split: {WRITTEN: 0, KEPT: len(entry["shards"]), REUSED: 0} for split, entry in splits.items()}
    return RunNumbers(
        rows=manifest["rows"]["read"],
        examples={split: entry["examples"] for split, entry in splits.items()},
        bytes={split: entry["bytes"] for split, entry in splits.items()},
        shards=run["shards"] if run else kept,
        rejected=manifest["rejected"],
    )
