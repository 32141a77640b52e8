"""Describes one execution of a job: its name, its runner, and how much of this machine it uses."""

from __future__ import annotations

import dataclasses

from maskmill.pipeline.job.rejected_limit import NONE_REJECTED, RejectedLimit


@dataclasses.dataclass(frozen=True, kw_only=True)
class Run:
    """One execution of a job. Nothing in it decides a byte of the dataset.

    Attributes:
        id: a name that no other run has.
        started: when it began, ISO 8601, UTC.
        runner: name of Beam's runner.
        attended: whether the program that started the run waits for its end.
        workers: threads that share a shard in each process of Beam; None is one a core.
        processes: number of processes that parse rows and write whole shards instead; 0 for none.
        max_rejected: how many rows and images may be rejected before nothing is published.
        min_examples: with fewer examples, nothing is published.
        max_change: by how many percent the dataset may differ from the one before; None allows any change.
    """

    id: str
    started: str
    runner: str
    attended: bool = True
    workers: int | None = None
    processes: int = 0
    max_rejected: RejectedLimit = NONE_REJECTED
    min_examples: int = 0
    max_change: float | None = None
