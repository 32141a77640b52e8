"""One run: check, build, run, and say what came of it."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import os
import shutil
import signal
import threading
import uuid
from collections.abc import Iterator, Mapping
from types import FrameType
from typing import Any, TextIO

import apache_beam as beam

from maskmill.manifest import unseal
from maskmill.names import MANIFEST, OUTCOME, STAGING
from maskmill.pipeline.arguments.create_arguments import CreateArguments
from maskmill.pipeline.dataset.failure import describe_state, raise_outcome
from maskmill.pipeline.dataset.find_existing import find_existing
from maskmill.pipeline.dataset.history import find_run, shard_states, utc_now
from maskmill.pipeline.dataset.reuse import announce_latest
from maskmill.pipeline.dataset.run_lock import locked, release
from maskmill.pipeline.dataset.staged_progress import StagedProgress
from maskmill.pipeline.errors import MaskmillError, last_line
from maskmill.pipeline.graph import build_graph
from maskmill.pipeline.job.job import Job
from maskmill.pipeline.job.prepare import is_up_to_date, job_of, reusable_of, with_existing
from maskmill.pipeline.messages.progress_bar import show_progress
from maskmill.pipeline.messages.run_log import RunLog
from maskmill.pipeline.messages.run_metrics import RunMetrics
from maskmill.pipeline.messages.run_numbers import report_of
from maskmill.pipeline.messages.summary import summarise
from maskmill.pipeline.report.write_report import check_report, run_report
from maskmill.pipeline.runners.dataflow import check_reachable, describe_unrun
from maskmill.pipeline.runners.new_pipeline import counts_here, new_pipeline, runner_name, runs_here
from maskmill.pipeline.runners.runner_job import RunnerJob
from maskmill.transforms.files.find_files import find_attempts
from maskmill.transforms.files.paths import join
from maskmill.transforms.files.read_write import make_folder, read_bytes_if_there, remove
from maskmill.transforms.parallel.look_ahead import usable_cores
from maskmill.transforms.parallel.process_pool import release_semaphores, warm_up
from maskmill.transforms.parallel.progress import PROGRESS
from maskmill.transforms.shards.staging import remove_attempts

# Some 300 rows.
PROCESSES_FROM_CSV_BYTES = 2**18
STILL_RUNNING = "the runner does not say that the job has ended; it may still be at work: cancel it there"


def create(arguments: CreateArguments, out: TextIO, log: RunLog) -> None:
    """Makes a dataset.

    Args:
        arguments: of the command.
        out: where the summary for people and the id of a job go.
        log: takes progress and warnings, and the summary for programs.

    Raises:
        UsageError: arguments, parameter file or input are wrong; nothing was done.
        TooManyRejectedError: more rows and images are bad than are allowed; nothing was published.
        MaskmillError: the run failed; nothing was published.
    """
    if arguments.report:
        check_report(arguments.output_dir, arguments.report)
    metrics = RunMetrics(arguments.metrics_file, arguments.output_dir)
    with metrics.of_a_failure(), new_pipeline(arguments.beam_options) as pipeline:
        with log.step("find-input") as counts:
            job = job_of(arguments)
            counts.update(csv_files=len(job.files), csv_bytes=sum(file.size for file in job.files))
        job = dataclasses.replace(
            job,
            run=uuid.uuid4().hex,
            started=utc_now(),
            runner=runner_name(pipeline),
            processes=runs_here(pipeline) and _pays_processes(job),
        )
        check_reachable(pipeline, (job.root, *(file.path for file in job.files), *job.folders))
        if unrun := describe_unrun(pipeline):
            _translate(arguments, job, pipeline, log)
            out.write(f"{unrun}\n")
            return
        job, content, entry = _make_dataset(arguments, job, RunnerJob(pipeline, out), log, metrics)
    metrics.write(report_of(content, entry))
    if not arguments.quiet:
        _tell(job, content, entry, metrics, out, log)
    if arguments.report:
        run_report(job.output_dir, arguments.report, quiet=arguments.quiet or log.as_json, out=out, err=log.err)


def _tell(
    job: Job, content: dict[str, Any], entry: Mapping[str, Any] | None, metrics: RunMetrics, out: TextIO, log: RunLog
) -> None:
    """Says what came of a run."""
    if log.as_json:
        event = "published" if entry else "nothing-to-do"
        values = dataclasses.asdict(report_of(content, entry))
        log.record(event, f"the dataset is in {job.output_dir}", seconds=metrics.seconds, **values)
    else:
        out.write(summarise(content, job.output_dir, shard_states(entry), metrics.seconds))


def _pays_processes(job: Job) -> bool:
    """Whether the run is large enough for processes that decode, which take half a second to begin."""
    rows = sum(file.size for file in job.files)
    return (job.workers or usable_cores()) > 1 and rows >= PROCESSES_FROM_CSV_BYTES


def _translate(arguments: CreateArguments, job: Job, pipeline: beam.Pipeline, log: RunLog) -> None:
    """Has the runner translate the job, for somebody else to run; nothing is done in the output folder."""
    existing = find_existing(job.root, job.splits)
    job = with_existing(job, arguments, existing, reusable_of(arguments), log)
    build_graph(pipeline, dataclasses.replace(job, attended=False))
    try:
        pipeline.run()
    except Exception as error:
        raise MaskmillError(f"the job cannot be translated: {last_line(error)}") from error


def _make_dataset(
    arguments: CreateArguments, job: Job, runner_job: RunnerJob, log: RunLog, metrics: RunMetrics
) -> tuple[Job, dict[str, Any], Mapping[str, Any] | None]:
    """Runs what has to be run; gives the job, what the manifest says afterwards, and the run's entry in the history."""
    reuse = reusable_of(arguments)
    with locked(job.root, job.output_dir, job.run):
        with log.step("find-existing") as counts:
            existing = find_existing(job.root, job.splits)
            job = with_existing(job, arguments, existing, reuse, log)
            counts.update(shards=len(job.published), reusable_shards=len(job.reusable))
        if is_up_to_date(job, existing):
            remove([join(job.root, STAGING)])
        else:
            if not arguments.quiet:
                log.record("start", f"making {job.output_dir}", run=job.run, runner=job.runner)
                if reuse.message:
                    log.tell("nothing-to-reuse", reuse.message)
            with log.step("run-pipeline"):
                _run(job, runner_job, log, metrics, quiet=arguments.quiet)
        with log.step("read-back") as counts:
            content, entry = _read_back(job), find_run(job.root, job.run)
            counts.update(dataclasses.asdict(report_of(content, entry)))
        if arguments.reuse and (message := announce_latest(arguments.reuse, job.root)):
            log.tell("warning", message)
        return job, content, entry


def _run(job: Job, runner_job: RunnerJob, log: RunLog, metrics: RunMetrics, *, quiet: bool) -> None:
    PROGRESS.restart()
    try:
        remove([join(job.staging, OUTCOME), *find_attempts(join(job.root, STAGING))])
        make_folder(job.staging)
        with (
            _stop_on_signal(job, runner_job, log, metrics),
            _show_progress(job, runner_job.pipeline, log, quiet=quiet),
        ):
            if job.processes:
                threading.Thread(target=warm_up, args=(job.workers or usable_cores(),), daemon=True).start()
            build_graph(runner_job.pipeline, job)
            runner_job.run()
        raise_outcome(job)
    except MaskmillError:
        raise
    except Exception as error:
        left = "" if runner_job.cancel() else f"{STILL_RUNNING}\n"
        raise_outcome(job)
        raise MaskmillError(f"the run failed: {last_line(error)}\n{left}{describe_state(job)}") from error


def _show_progress(
    job: Job, pipeline: beam.Pipeline, log: RunLog, *, quiet: bool
) -> contextlib.AbstractContextManager[None]:
    """Shows the images that are counted in this process; where the work is done elsewhere, the finished shards."""
    tell = functools.partial(log.tell, "progress")
    if counts_here(pipeline):
        return show_progress(PROGRESS, log.err, quiet=quiet, tell=tell if log.as_json else None)
    return show_progress(StagedProgress(job), log.err, quiet=quiet, unit="shards", tell=tell)


def _read_back(job: Job) -> dict[str, Any]:
    """Content of the manifest that a run has written; that of an earlier dataset is not."""
    text = read_bytes_if_there(join(job.root, MANIFEST))
    content = unseal(text) if text is not None else {}
    if content.get("input") != job.input:
        raise MaskmillError(f"the runner says that it is done, but {describe_state(job)}")
    return content


@contextlib.contextmanager
def _stop_on_signal(job: Job, runner_job: RunnerJob, log: RunLog, metrics: RunMetrics) -> Iterator[None]:
    """On Ctrl-C or SIGTERM says what was written, and leaves at once: threads under way are not waited for.

    Only a cluster's job is cancelled before that; a second signal does not wait for it.
    """

    def stop(number: int, _: FrameType | None) -> None:
        for one in previous:
            signal.signal(one, signal.SIG_DFL)
        left = "" if runner_job.cancel() else f"{STILL_RUNNING}; "
        remove_attempts()
        shutil.rmtree(runner_job.pipeline.local_tempdir, ignore_errors=True)
        release(job.root, job.run)
        metrics.write_failure()
        log.tell("stopped", f"{left}{describe_state(job)}", exit_status=128 + number)
        release_semaphores()
        os._exit(128 + number)

    previous = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
