"""Makes a dataset: checks, finds what is there, runs the graph, reads back, and returns what came of it."""

from __future__ import annotations

import dataclasses
import shlex
import uuid
from typing import Any, TextIO

import apache_beam as beam

from maskmill.manifest import unseal
from maskmill.names import MANIFEST, STAGING, TRAIN
from maskmill.pipeline.arguments.create_arguments import CreateArguments
from maskmill.pipeline.create.run_graph import run_graph
from maskmill.pipeline.create.stop_on_signal import Stop, stop_on_signal
from maskmill.pipeline.dataset.baseline import Baseline, find_baseline, find_reuse
from maskmill.pipeline.dataset.failure import describe_state
from maskmill.pipeline.dataset.history import find_run, utc_now
from maskmill.pipeline.dataset.reuse import announce_latest
from maskmill.pipeline.dataset.run_lock import locked, warn_of_no_lock
from maskmill.pipeline.dataset.take_over import take_over_unfinished
from maskmill.pipeline.dataset.verify_kept import verify_kept
from maskmill.pipeline.errors import MaskmillError, last_line
from maskmill.pipeline.graph import build_graph
from maskmill.pipeline.job.job import Job
from maskmill.pipeline.job.read_job import read_job
from maskmill.pipeline.job.run import Run
from maskmill.pipeline.messages.describe_changes import warn_of_moves
from maskmill.pipeline.messages.metrics import RunMetrics, series_of
from maskmill.pipeline.messages.result import Result, result_of
from maskmill.pipeline.messages.run_log import RunLog
from maskmill.pipeline.messages.summary import warn_of_classes, warn_of_different_masks, warn_of_empty_shards
from maskmill.pipeline.messages.this_program import this_program
from maskmill.pipeline.report.write_report import check_report, missing_libraries
from maskmill.pipeline.runners.check_answers import check_answers
from maskmill.pipeline.runners.dataflow import check_reachable, describe_unrun
from maskmill.pipeline.runners.new_pipeline import new_pipeline, runner_name, runs_here
from maskmill.pipeline.runners.runner_job import RunnerJob
from maskmill.transforms.files.paths import join
from maskmill.transforms.files.read_write import read_bytes_if_there, remove
from maskmill.transforms.parallel.look_ahead import usable_cores

# Some 80 rows, and with fewer shards for each process: processes would take longer to start than to work, or be idle at
# the end. Then threads share each shard.
PROCESSES_FROM_CSV_BYTES = 2**18
SHARDS_A_PROCESS = 4


def make_dataset(arguments: CreateArguments, out: TextIO, log: RunLog, stop: Stop = stop_on_signal) -> Result | None:
    """Makes a dataset.

    Args:
        arguments: of the command.
        out: takes the id of a job, and what became of one that is only translated.
        log: takes progress and warnings, and the numbers for programs.
        stop: what to do on a signal.

    Returns:
        the result; None if the runner has only translated the job.

    Raises:
        UsageError: arguments, parameter file or input are wrong; nothing was done.
        TooManyRejectedError: more rows and images are bad than are allowed; nothing was published.
        MaskmillError: the run failed; nothing was published.
        KeyboardInterrupt: Ctrl-C stopped the run, if `stop` has it so; nothing was published.
    """
    if arguments.report is not None:
        check_report(arguments.output_dir, arguments.report)
    started = utc_now()
    metrics = RunMetrics(arguments.metrics_file, series_of(arguments.output_dir, arguments.reuse))
    with metrics.of_a_failure(), new_pipeline(arguments.beam_options) as pipeline:
        with log.step("find-input") as counts:
            job = read_job(arguments)
            counts.update(csv_files=len(job.input.files), csv_bytes=job.input.csv_bytes)
        run = _new_run(arguments, job, pipeline, started)
        check_reachable(pipeline, (job.output.root, *job.input.paths))
        if unrun := describe_unrun(pipeline):
            _translate(arguments, job, run, pipeline, log)
            out.write(f"{unrun}\n")
            return None
        result = _make(arguments, job, run, RunnerJob(pipeline, out), log, metrics, stop)
    for warning in _warnings(job, result):
        log.tell("warning", warning)
    look = f"{this_program()} {'show' if missing_libraries() else 'report'} {shlex.quote(result.path)}"
    if missing_libraries() and TRAIN not in result.splits:
        look += f" --split {next(iter(result.splits))}"
    # Those of the history, so that all pages and logs agree, if the run is in it.
    seconds = result.seconds or metrics.seconds
    result = dataclasses.replace(result, warnings=tuple(log.warnings), seconds=seconds, look=look)
    metrics.write(result)
    if not arguments.quiet:
        event = "published" if result.published else "nothing-to-do"
        log.record(event, f"the dataset is in {result.path}", seconds=result.seconds, **result.numbers())
    return result


def _new_run(arguments: CreateArguments, job: Job, pipeline: beam.Pipeline, started: str) -> Run:
    cores = arguments.workers or usable_cores()
    much = job.input.csv_bytes >= PROCESSES_FROM_CSV_BYTES and job.least_shards >= SHARDS_A_PROCESS * cores
    return Run(
        id=uuid.uuid4().hex,
        started=started,
        runner=runner_name(pipeline),
        workers=arguments.workers,
        processes=cores if runs_here(pipeline) and cores > 1 and much else 0,
        max_rejected=arguments.max_rejected,
        min_examples=arguments.min_examples,
        max_change=arguments.max_change,
    )


def _translate(arguments: CreateArguments, job: Job, run: Run, pipeline: beam.Pipeline, log: RunLog) -> None:
    """Has the runner translate the job, for somebody else to run; the output folder stays as it is."""
    baseline = find_baseline(job, arguments, find_reuse(arguments))
    _warn(baseline, log)
    if arguments.verify:
        baseline = verify_kept(arguments, job, baseline, log)
    build_graph(pipeline, job, baseline, dataclasses.replace(run, attended=False), arguments.transform)
    try:
        pipeline.run()
    except Exception as error:
        raise MaskmillError(f"the job cannot be translated: {last_line(error)}") from error


def _make(
    arguments: CreateArguments,
    job: Job,
    run: Run,
    runner_job: RunnerJob,
    log: RunLog,
    metrics: RunMetrics,
    stop: Stop,
) -> Result:
    """Runs the graph if anything changed."""
    reuse = find_reuse(arguments)
    if arguments.no_lock:
        log.tell("warning", warn_of_no_lock(job.output.output_dir))
    with locked(job.output.root, job.output.output_dir, run.id, no_lock=arguments.no_lock):
        if arguments.reuse:
            for message in take_over_unfinished(arguments.reuse, job, run.id, no_lock=arguments.no_lock):
                log.tell("unfinished", message)
        with log.step("find-existing") as counts:
            baseline = find_baseline(job, arguments, reuse)
            _warn(baseline, log)
            counts.update(shards=len(baseline.published), reusable_shards=len(baseline.reusable))
        if arguments.verify or not baseline.up_to_date:
            check_answers(runner_job.pipeline)
        if arguments.verify:
            with stop(job, run, runner_job, log, metrics):
                baseline = verify_kept(arguments, job, baseline, log)
        if baseline.up_to_date:
            remove([join(job.output.root, STAGING)])
        else:
            if not arguments.quiet:
                log.record("start", f"making {job.output.output_dir}", run=run.id, runner=run.runner)
                if reuse.message:
                    log.tell("nothing-to-reuse", reuse.message)
            with log.step("run-pipeline"):
                attended = stop(job, run, runner_job, log, metrics)
                run_graph(job, baseline, run, runner_job, log, attended, arguments)
        with log.step("read-back") as counts:
            entry = find_run(job.output.root, run.id)
            result = result_of(_read_manifest(job), entry, job.output.output_dir)
            counts.update(result.numbers())
        if arguments.reuse and (message := announce_latest(arguments.reuse, job.output.root)):
            log.tell("warning", message)
        return result


def _read_manifest(job: Job) -> dict[str, Any]:
    """Content of the manifest that a run has written; the manifest of an earlier dataset does not count."""
    text = read_bytes_if_there(join(job.output.root, MANIFEST))
    content = unseal(text) if text is not None else {}
    if content.get("input") != job.input.fingerprint:
        raise MaskmillError(f"the runner says that it is done, but {describe_state(job)}")
    return content


def _warn(baseline: Baseline, log: RunLog) -> None:
    for warning in baseline.warnings:
        log.tell("warning", warning)


def _warnings(job: Job, result: Result) -> list[str]:
    """Warns of what a person may not expect of a dataset, although it is whole."""
    return [
        *warn_of_classes(result.rows, job.form.chosen),
        *warn_of_empty_shards({name: (one.examples, sum(one.shards.values())) for name, one in result.splits.items()}),
        *warn_of_different_masks(result.notes, result.different_masks),
        *warn_of_moves(result.changes, job.selection.assignment),
    ]
