"""One run: check, build, run, and say what came of it."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import json
import os
import shutil
import signal
import uuid
from collections.abc import Iterator, Sequence
from types import FrameType
from typing import Any, TextIO

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions

from pipeline.errors import SteelbeamError, TooManyRejectedError, UsageError
from pipeline.existing import JOURNAL, Existing, find_existing, of_naming
from pipeline.graph import build_graph
from pipeline.history import find_run, shard_states, utc_now
from pipeline.job import Job, make_job
from pipeline.manifest import unseal
from pipeline.params_file import read_params
from pipeline.progress_bar import show_progress
from pipeline.publish import OUTCOME
from pipeline.rejected_limit import RejectedLimit
from pipeline.reuse import Reuse, announce_latest, find_reusable
from pipeline.run_lock import locked, release
from pipeline.run_log import RunLog
from pipeline.run_metrics import RunMetrics
from pipeline.run_report import report_of
from pipeline.summary import summarise
from transforms.files import absolute, exists, find_attempts, is_local, join, make_folder, read_bytes, remove
from transforms.layout import MANIFEST, STAGING, ShardLayout
from transforms.progress import PROGRESS
from transforms.staging import count_staged, remove_attempts

DEFAULT_RUNNER = "FnApiRunner"


@dataclasses.dataclass(frozen=True, kw_only=True)
class CreateArguments:
    """The arguments of `steelbeam create`; see its `--help`."""

    params: str
    output_dir: str
    num_output_files: int
    num_processes: int
    name: str
    workers: int | None
    max_rejected: RejectedLimit
    checksum: bool
    overwrite: bool
    reuse: str | None
    log_format: str
    metrics_file: str | None
    quiet: bool
    beam_options: tuple[str, ...]


def create(arguments: CreateArguments, out: TextIO, log: RunLog) -> None:
    """Makes a dataset.

    Args:
        arguments: of the command.
        out: where the summary for people goes.
        log: takes progress and warnings, and the summary for programs.

    Raises:
        UsageError: arguments, parameter file or input are wrong; nothing was done.
        TooManyRejectedError: more rows and images are bad than are allowed; nothing was published.
        SteelbeamError: the run failed; nothing was published.
    """
    metrics = RunMetrics(arguments.metrics_file, arguments.output_dir)
    with metrics.of_a_failure(), _new_pipeline(arguments.beam_options) as pipeline:
        job, content = _make_dataset(arguments, pipeline, log, metrics)
        entry = find_run(job.root, job.run)
    report = report_of(content, entry)
    metrics.write(report)
    if arguments.quiet:
        return
    if log.as_json:
        event = "published" if entry else "nothing-to-do"
        values = dataclasses.asdict(report)
        log.record(event, f"the dataset is in {job.output_dir}", seconds=metrics.seconds, **values)
    else:
        out.write(summarise(content, job.output_dir, shard_states(entry), metrics.seconds))


@contextlib.contextmanager
def _new_pipeline(beam_options: Sequence[str]) -> Iterator[beam.Pipeline]:
    """A pipeline without steps; its temporary folder is removed at the end."""
    options = PipelineOptions(["--runner", DEFAULT_RUNNER, *beam_options], save_main_session=False)
    try:
        pipeline = beam.Pipeline(options=options)
    except (ValueError, ImportError) as error:
        raise UsageError(f"Apache Beam refuses its options: {_last_line(error)}") from error
    try:
        yield pipeline
    finally:
        shutil.rmtree(pipeline.local_tempdir, ignore_errors=True)


def _make_dataset(
    arguments: CreateArguments, pipeline: beam.Pipeline, log: RunLog, metrics: RunMetrics
) -> tuple[Job, dict[str, Any]]:
    """Runs what has to be run; gives the job, and what the manifest says afterwards."""
    job = dataclasses.replace(
        _make_job(arguments), run=uuid.uuid4().hex, started=utc_now(), runner=type(pipeline.runner).__name__
    )
    reuse = find_reusable(arguments.reuse) if arguments.reuse else Reuse()
    with locked(job.root, job.output_dir, job.run):
        existing = find_existing(job.root, job.splits)
        replaces = _find_replaced(arguments, existing, log)
        job = dataclasses.replace(job, replaces=replaces, published=existing.shards, reusable=reuse.shards)
        if _is_up_to_date(job, existing):
            remove([join(job.root, STAGING)])
        else:
            if not arguments.quiet:
                log.record("start", f"making {job.output_dir}", run=job.run, runner=job.runner)
                if reuse.message:
                    log.tell("nothing-to-reuse", reuse.message)
            _run(job, pipeline, log, metrics, quiet=arguments.quiet)
        content = _read_back(job)
        if arguments.reuse and (message := announce_latest(arguments.reuse, job.root)):
            log.tell("warning", message)
        return job, content


def _make_job(arguments: CreateArguments) -> Job:
    """The job; everything that can be wrong with arguments, parameters and input is found here."""
    root = absolute(arguments.output_dir)
    if is_local(root) and os.path.isfile(root):
        raise UsageError(f"{arguments.output_dir}: is a file; choose a folder for --output_dir")
    return make_job(
        read_params(arguments.params),
        ShardLayout(arguments.name, arguments.num_output_files, arguments.num_processes or os.cpu_count() or 1),
        output_dir=arguments.output_dir,
        input_args={
            "name": arguments.name,
            "num_output_files": arguments.num_output_files,
            "num_processes": arguments.num_processes,
            "output_dir": arguments.output_dir,
            "params": arguments.params,
        },
        workers=arguments.workers,
        checksum=arguments.checksum,
        max_rejected=arguments.max_rejected,
    )


def _find_replaced(arguments: CreateArguments, existing: Existing, log: RunLog) -> tuple[str, ...]:
    """Shards that this dataset takes the place of: ours, and those of somebody else as `--overwrite` allows."""
    foreign = existing.foreign
    if foreign and not arguments.overwrite:
        shown = ", ".join(foreign[:3]) + (f" and {len(foreign) - 3} more" if len(foreign) > 3 else "")
        raise UsageError(
            f"{arguments.output_dir}: holds HDF5 files that are not of a dataset of steelbeam ({shown}); "
            f"choose another --output_dir, or add --overwrite to replace those named {arguments.name}-<i>_p<j>.h5"
        )
    replaced = of_naming(foreign, arguments.name)
    warnings = list(existing.warnings)
    if kept := sorted(set(foreign).difference(replaced)):
        warnings.append(f"{len(kept)} HDF5 files of other names stay in {arguments.output_dir}: {kept[0]} …")
    for warning in warnings:
        log.tell("warning", warning)
    return (*sorted(existing.ours), *replaced)


def _is_up_to_date(job: Job, existing: Existing) -> bool:
    """Whether the same command has made the dataset that is there, of the same input."""
    manifest = existing.manifest
    if manifest is None or not existing.complete or manifest.get("input") != job.input or job.checksum:
        return False
    return job.max_rejected.allows(sum(manifest["rejected"].values()), manifest["rows"]["read"])


def _run(job: Job, pipeline: beam.Pipeline, log: RunLog, metrics: RunMetrics, *, quiet: bool) -> None:
    PROGRESS.restart()
    try:
        remove([join(job.staging, OUTCOME), *find_attempts(join(job.root, STAGING))])
        make_folder(job.staging)
        tell = functools.partial(log.tell, "progress") if log.as_json else None
        with (
            _stop_on_signal(job, pipeline, log, metrics),
            show_progress(PROGRESS, log.err, quiet=quiet, tell=tell),
        ):
            build_graph(pipeline, job)
            pipeline.run().wait_until_finish()
    except Exception as error:
        _raise_outcome(job)
        raise SteelbeamError(f"the run failed: {_last_line(error)}\n{_describe_state(job)}") from error


def _read_back(job: Job) -> dict[str, Any]:
    """Content of the manifest that a run has written."""
    if not exists(join(job.root, MANIFEST)):
        raise SteelbeamError(f"the runner says that it is done, but {_describe_state(job)}")
    return unseal(read_bytes(join(job.root, MANIFEST)))


def _raise_outcome(job: Job) -> None:
    """Raises what the graph itself says of its failure, where it says anything."""
    if exists(join(job.staging, OUTCOME)):
        outcome = json.loads(read_bytes(join(job.staging, OUTCOME)))
        if outcome["exit_status"] == TooManyRejectedError.exit_status:
            raise TooManyRejectedError(outcome["message"], outcome["codes"])
        raise SteelbeamError(outcome["message"])


def _describe_state(job: Job) -> str:
    """What a run that did not come to its end has left."""
    try:
        existing = find_existing(job.root, job.splits)
        whole = existing.manifest is not None
        if existing.manifest and existing.complete and existing.manifest.get("input") == job.input:
            return f"the dataset in {job.output_dir} is whole; the same command removes what is left of the run"
        if exists(join(job.root, JOURNAL)) and not whole:
            return f"in the middle of publishing; {job.output_dir} is no dataset until the same command has ended"
        count = count_staged(job.staging, job.splits)
    except (OSError, UsageError) as error:
        return f"what is in {job.output_dir} cannot be seen either: {error}"
    shards = f"{count} of {len(job.splits) * job.layout.num_shards} shards"
    found = f"; the dataset in {job.output_dir} is whole" if whole else ""
    return f"nothing was published; {shards} are finished in {job.staging}, where the same command takes them up{found}"


def _last_line(error: BaseException) -> str:
    """A runner's error is the text of a traceback; its last line is what happened."""
    lines = [line for line in str(error).splitlines() if line.strip()]
    return lines[-1].strip() if lines else type(error).__name__


@contextlib.contextmanager
def _stop_on_signal(job: Job, pipeline: beam.Pipeline, log: RunLog, metrics: RunMetrics) -> Iterator[None]:
    """On Ctrl-C or SIGTERM says what was written, and leaves at once: threads under way are not waited for."""

    def stop(number: int, _: FrameType | None) -> None:
        remove_attempts()
        shutil.rmtree(pipeline.local_tempdir, ignore_errors=True)
        release(job.root)
        metrics.write_failure()
        log.tell("stopped", _describe_state(job), exit_status=128 + number)
        os._exit(128 + number)

    previous = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
