"""Stops a run on Ctrl-C or SIGTERM: the process of a command, or only the call of a program."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType

from maskmill.pipeline.dataset.failure import describe_state
from maskmill.pipeline.dataset.run_lock import release
from maskmill.pipeline.job.job import Job
from maskmill.pipeline.job.run import Run
from maskmill.pipeline.messages.metrics import RunMetrics
from maskmill.pipeline.messages.run_log import RunLog
from maskmill.pipeline.runners.interruptible import interruptible
from maskmill.pipeline.runners.runner_job import RunnerJob
from maskmill.transforms.shards.staging import remove_attempts

STILL_RUNNING = "the runner does not say that the job has ended; it may still be at work: cancel it there"

# What a run does on a signal while the body of a context manager runs.
Stop = Callable[[Job, Run, RunnerJob, RunLog, RunMetrics], contextlib.AbstractContextManager[None]]


@contextlib.contextmanager
def stop_on_signal(job: Job, run: Run, runner_job: RunnerJob, log: RunLog, metrics: RunMetrics) -> Iterator[None]:
    """On Ctrl-C or SIGTERM says what was written, and exits at once, without waiting for threads.

    It only waits until a cluster's job is cancelled; a second signal ends that wait. Python only lets the main thread
    handle signals; in another one, they do what they do without this.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, _: FrameType | None) -> None:
        for one in previous:
            signal.signal(one, signal.SIG_DFL)
        left = "" if runner_job.cancel() else f"{STILL_RUNNING}; "
        remove_attempts()
        shutil.rmtree(runner_job.pipeline.local_tempdir, ignore_errors=True)
        release(job.output.root, run.id)
        metrics.write_failure()
        log.tell("stopped", f"{left}{describe_state(job)}", exit_status=128 + number)
        os._exit(128 + number)

    previous = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def interrupt_on_signal(*_: object) -> contextlib.AbstractContextManager[None]:
    """On Ctrl-C raises KeyboardInterrupt from the body, for a program that goes on; see `interruptible`."""
    return interruptible()
