"""Keeps history.jsonl: which runs have written a dataset, and when.

It is a file of its own because a manifest does not depend on the time of the run.
"""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Mapping
from typing import Any

from maskmill import __version__
from maskmill.format_version import current_format
from maskmill.history import HistoryLine, check_history, read_lines
from maskmill.manifest import seal_line
from maskmill.names import HISTORY
from maskmill.pipeline.job.job import Job
from maskmill.pipeline.job.run import Run
from maskmill.transforms.aggregate_metadata import DatasetMetadata
from maskmill.transforms.files.paths import join
from maskmill.transforms.files.read_write import read_bytes_if_there
from maskmill.transforms.shards.records import KEPT, REUSED, WRITTEN

MAX_LINES = 1000


def utc_now() -> str:
    """Returns the time in ISO 8601, UTC."""
    return datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")


def extended_history(job: Job, run: Run, metadata: DatasetMetadata) -> bytes:
    """Returns the history with a last line for this run, even if publishing is repeated; without damaged lines."""
    lines = [line for line in _lines(job.output.root) if line.entry is not None]
    texts = [line.text for line in lines]
    if not any(line.entry["run"] == run.id for line in lines if line.entry):
        texts.append(seal_line(_entry(job, run, metadata)))
    return b"".join(text + b"\n" for text in texts[-MAX_LINES:])


def find_run(root: str, run: str) -> Mapping[str, Any] | None:
    """Returns the entry of a run; None if it published nothing."""
    entries = (line.entry for line in reversed(_lines(root)))
    return next((entry for entry in entries if entry and entry["run"] == run), None)


def history_problems(root: str) -> list[str]:
    """Returns what is wrong with the history of a dataset of this version, one message for each problem."""
    return list(check_history(read_bytes_if_there(join(root, HISTORY)), current_format()))


def _lines(root: str) -> list[HistoryLine]:
    return read_lines(read_bytes_if_there(join(root, HISTORY)) or b"")


def _entry(job: Job, run: Run, metadata: DatasetMetadata) -> dict[str, Any]:
    return {
        "run": run.id,
        "started": run.started,
        "finished": utc_now(),
        "version": __version__,
        "runner": run.runner,
        "shards": {split: _states(metadata, split) for split in job.splits},
        "examples": {
            split: sum(shard.stored.examples for shard in metadata.shards if shard.split == split)
            for split in job.splits
        },
        "rejected": len(metadata.rejected),
    }


def _states(metadata: DatasetMetadata, split: str) -> dict[str, int]:
    found = Counter(shard.state for shard in metadata.shards if shard.split == split)
    return {state: found[state] for state in (WRITTEN, KEPT, REUSED)}
