"""Runs the graph, attended: with progress, signals, and an error for people if it fails."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

from maskmill.names import OUTCOME, STAGING
from maskmill.pipeline.arguments.create_arguments import CreateArguments
from maskmill.pipeline.create.run_progress import show_run_progress
from maskmill.pipeline.create.stop_on_signal import STILL_RUNNING
from maskmill.pipeline.dataset.baseline import Baseline
from maskmill.pipeline.dataset.failure import describe_state, raise_failure
from maskmill.pipeline.errors import MaskmillError
from maskmill.pipeline.graph import build_graph
from maskmill.pipeline.job.job import Job
from maskmill.pipeline.job.run import Run
from maskmill.pipeline.messages.run_log import RunLog
from maskmill.pipeline.runners.runner_job import RunnerJob, describe_error
from maskmill.transforms.files.find_files import find_attempts
from maskmill.transforms.files.paths import join
from maskmill.transforms.files.read_write import make_folder, remove
from maskmill.transforms.parallel.blas import one_blas_thread
from maskmill.transforms.parallel.process_pool import warm_up
from maskmill.transforms.parallel.progress import PROGRESS
from maskmill.transforms.sink.write_shards import give_up


def run_graph(
    job: Job,
    baseline: Baseline,
    run: Run,
    runner_job: RunnerJob,
    log: RunLog,
    attended: contextlib.AbstractContextManager[None],
    arguments: CreateArguments,
) -> None:
    """Runs the graph to its end, and shows progress.

    Args:
        job: what is to be made.
        baseline: what the run starts from.
        run: the execution.
        runner_job: its pipeline gets the steps.
        log: takes progress.
        attended: what happens on a signal while the graph runs.
        arguments: of the command.

    Raises:
        MaskmillError: the run failed; the message says what it left.
        KeyboardInterrupt: Ctrl-C stopped the run; the message says what it left.
    """
    staging = job.output.staging
    try:
        remove([join(staging, OUTCOME), *find_attempts(join(job.output.root, STAGING))])
        make_folder(staging)
        with (
            PROGRESS.of_run(),
            one_blas_thread(),
            attended,
            show_run_progress(job, baseline, runner_job.pipeline, log, quiet=arguments.quiet),
            _nothing_left_running(staging),
        ):
            if run.processes:
                threading.Thread(target=warm_up, args=(run.processes,), daemon=True).start()
            build_graph(runner_job.pipeline, job, baseline, run, arguments.transform)
            runner_job.run()
        raise_failure(job)
    except MaskmillError:
        raise
    except KeyboardInterrupt:
        left = "" if runner_job.cancel() else f"{STILL_RUNNING}; "
        raise KeyboardInterrupt(f"{left}{describe_state(job)}") from None
    except Exception as error:
        left = "" if runner_job.cancel() else f"{STILL_RUNNING}\n"
        raise_failure(job)
        raise MaskmillError(f"the run failed: {describe_error(error)}\n{left}{describe_state(job)}") from error


@contextlib.contextmanager
def _nothing_left_running(staging: str) -> Iterator[None]:
    """Ends the threads of this process that write shards, if the body fails: the process may go on."""
    try:
        yield
    except BaseException:
        give_up(staging)
        raise
