"""The progress of a run: images that this process counts, or the finished shards of work that is done elsewhere."""

from __future__ import annotations

import contextlib
import functools

import apache_beam as beam

from maskmill.pipeline.dataset.baseline import Baseline
from maskmill.pipeline.dataset.staged_progress import StagedProgress
from maskmill.pipeline.job.job import Job
from maskmill.pipeline.messages.progress_bar import show_progress
from maskmill.pipeline.messages.run_log import RunLog
from maskmill.pipeline.runners.new_pipeline import counts_here
from maskmill.transforms.parallel.progress import PROGRESS


def show_run_progress(
    job: Job, baseline: Baseline, pipeline: beam.Pipeline, log: RunLog, *, quiet: bool
) -> contextlib.AbstractContextManager[None]:
    """Shows progress while the body runs."""
    tell = functools.partial(log.tell, "progress")
    if counts_here(pipeline):
        return show_progress(PROGRESS, log.err, quiet=quiet, tell=tell if log.as_json else None)
    # Kept shards are never staged.
    expected = None if baseline.published else job.num_shards
    staged = StagedProgress(job.output.staging, job.splits, expected)
    return show_progress(staged, log.err, quiet=quiet, unit="shards", tell=tell)
