"""Runs the graph, attended: with progress, signals, and an error for people if it fails."""

from __future__ import annotations

import threading

from maskmill.names import OUTCOME, STAGING
from maskmill.pipeline.create.run_progress import show_run_progress
from maskmill.pipeline.create.stop_on_signal import STILL_RUNNING, stop_on_signal
from maskmill.pipeline.dataset.baseline import Baseline
from maskmill.pipeline.dataset.failure import describe_state, raise_failure
from maskmill.pipeline.errors import MaskmillError
from maskmill.pipeline.graph import build_graph
from maskmill.pipeline.job.job import Job
from maskmill.pipeline.job.run import Run
from maskmill.pipeline.messages.metrics import RunMetrics
from maskmill.pipeline.messages.run_log import RunLog
from maskmill.pipeline.runners.runner_job import RunnerJob, describe_error
from maskmill.transforms.files.find_files import find_attempts
from maskmill.transforms.files.paths import join
from maskmill.transforms.files.read_write import make_folder, remove
from maskmill.transforms.parallel.look_ahead import usable_cores
from maskmill.transforms.parallel.process_pool import warm_up
from maskmill.transforms.parallel.progress import PROGRESS


def run_graph(
    job: Job, baseline: Baseline, run: Run, runner_job: RunnerJob, log: RunLog, metrics: RunMetrics, *, quiet: bool
) -> None:
    """Runs the graph to its end, shows progress, and stops on a signal.

    Raises:
        MaskmillError: the run failed; the message says what it left.
    """
    PROGRESS.restart()
    staging = job.output.staging
    try:
        remove([join(staging, OUTCOME), *find_attempts(join(job.output.root, STAGING))])
        make_folder(staging)
        with (
            stop_on_signal(job, run, runner_job, log, metrics),
            show_run_progress(job, baseline, runner_job.pipeline, log, quiet=quiet),
        ):
            if run.processes:
                threading.Thread(target=warm_up, args=(run.workers or usable_cores(),), daemon=True).start()
            build_graph(runner_job.pipeline, job, baseline, run)
            runner_job.run()
        raise_failure(job)
    except MaskmillError:
        raise
    except Exception as error:
        left = "" if runner_job.cancel() else f"{STILL_RUNNING}\n"
        raise_failure(job)
        raise MaskmillError(f"the run failed: {describe_error(error)}\n{left}{describe_state(job)}") from error
