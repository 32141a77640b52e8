"""Progress of a run whose work is done elsewhere, as far as the staging folder shows it."""

from __future__ import annotations

import contextlib

from maskmill.pipeline.job.job import Job
from maskmill.transforms.shards.staging import count_staged


class StagedProgress:
    """Counts the finished shards of a run, from a thread of its own.

    Args:
        job: of the run.

    Attributes:
        expected: number of shards; None where it is not known: some may stay where they are, and never be staged.
    """

    def __init__(self, job: Job) -> None:
        self._job = job
        self._done = 0
        self.expected = None if job.published else job.num_shards

    @property
    def done(self) -> int:
        """Shards that are finished. Each look lists the staging folder; where that fails, it is what was seen last."""
        with contextlib.suppress(OSError):
            # Publishing takes the shards out of the folder again.
            self._done = max(self._done, count_staged(self._job.staging, self._job.splits))
        return self._done
