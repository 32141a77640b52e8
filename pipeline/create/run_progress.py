"""Shows the progress of a run: images that this process counts, or finished shards if the work is done elsewhere."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Sequence

import apache_beam as beam

from maskmill.pipeline.dataset.baseline import Baseline
from maskmill.pipeline.job.job import Job
from maskmill.pipeline.messages.progress_bar import show_progress
from maskmill.pipeline.messages.run_log import RunLog
from maskmill.pipeline.runners.new_pipeline import counts_here
from maskmill.transforms.parallel.progress import PROGRESS
from maskmill.transforms.shards.staging import count_staged


def show_run_progress(
    job: Job, baseline: Baseline, pipeline: beam.Pipeline, log: RunLog, *, quiet: bool
) -> contextlib.AbstractContextManager[None]:
    """Shows progress while the body runs."""
    tell = functools.partial(log.tell, "progress")
    if counts_here(pipeline):
        return show_progress(PROGRESS, log.err, quiet=quiet, tell=tell if log.as_json else None, watch=log.watch)
    # Kept shards are never staged.
    expected = None if baseline.published else job.num_shards
    staged = StagedProgress(job.output.staging, job.splits, expected)
    return show_progress(staged, log.err, quiet=quiet, unit="shards", tell=tell, watch=log.watch)


class StagedProgress:
    """Counts the finished shards of a run, from a thread of its own.

    Args:
        staging: folder in which the run stages its shards.
        splits: names of the splits.
        expected: number of shards; None if it is not known, because some may be kept and never staged.
    """

    def __init__(self, staging: str, splits: Sequence[str], expected: int | None) -> None:
        self._staging = staging
        self._splits = splits
        self._done = 0
        self.expected = expected

    @property
    def done(self) -> int:
        """Finished shards. Each look lists the staging folder; if that fails, the last number stands."""
        with contextlib.suppress(OSError):
            # Publishing moves the shards out of the folder.
            self._done = max(self._done, count_staged(self._staging, self._splits))
        return self._done
