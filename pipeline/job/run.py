"""Describes one execution of a job: its name, its runner, and how much of this machine it uses."""

from __future__ import annotations

import dataclasses

from maskmill.pipeline.job.rejected_limit import NONE_REJECTED, RejectedLimit
from maskmill.transforms.parallel.look_ahead import usable_cores


@dataclasses.dataclass(frozen=True, kw_only=True)
class Run:
    """One execution of a job. Nothing in it decides a byte of the dataset.

    Attributes:
        id: a name that no other run has.
        started: when it began, ISO 8601, UTC.
        runner: name of Beam's runner.
        attended: whether the program that started the run waits for its end.
        workers: threads that decode in each process of Beam, or processes; None is one a core.
        processes: whether processes write whole shards, instead of threads that share each.
        max_rejected: how many rows and images may be rejected before nothing is published.
        min_examples: with fewer examples, nothing is published.
        max_change: by how many percent the dataset may differ from the one before; None allows any change.
    """

    id: str
    started: str
    runner: str
    attended: bool = True
    workers: int | None = None
    processes: bool = False
    max_rejected: RejectedLimit = NONE_REJECTED
    min_examples: int = 0
    max_change: float | None = None

    @property
    def pool(self) -> int:
        """Number of processes in the pool; 0 if there is none."""
        return (self.workers or usable_cores()) if self.processes else 0
