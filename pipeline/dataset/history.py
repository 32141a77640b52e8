"""Keeps history.jsonl: which runs have written a dataset, and when.

It is a file of its own because a manifest does not depend on the time of the run.
"""

from __future__ import annotations

import datetime
import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

from maskmill import __version__
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
    """Returns the history with a last line for this run, even if publishing is repeated."""
    lines = _lines(job.output.root)
    if not any(_run_of(line) == run.id for line in lines):
        lines.append(json.dumps(_entry(job, run, metadata)))
    return "".join(f"{line}\n" for line in lines[-MAX_LINES:]).encode()


def find_run(root: str, run: str) -> Mapping[str, Any] | None:
    """Returns the entry of a run; None if it published nothing."""
    return next((json.loads(line) for line in reversed(_lines(root)) if _run_of(line) == run), None)


def shard_states(entry: Mapping[str, Any] | None) -> dict[str, int]:
    """Returns the number of shards that a run wrote, kept and reused; empty if it published nothing."""
    total = Counter[str]()
    for states in entry["shards"].values() if entry else ():
        total.update(states)
    return dict(total)


def _lines(root: str) -> list[str]:
    text = read_bytes_if_there(join(root, HISTORY))
    return text.decode(errors="replace").splitlines() if text is not None else []


def _run_of(line: str) -> str | None:
    """Returns the run of a line; None for a damaged line, which is kept."""
    try:
        run: str = json.loads(line)["run"]
    except (ValueError, TypeError, KeyError):
        return None
    return run


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
