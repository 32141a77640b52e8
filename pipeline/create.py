"""One run: check, build, run, and say what came of it."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import signal
import time
from collections.abc import Iterator, Sequence
from types import FrameType
from typing import TextIO

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions

from pipeline.errors import SteelbeamError, TooManyRejectedError, UsageError
from pipeline.graph import build_graph
from pipeline.job import Job, make_job
from pipeline.params_file import read_params
from pipeline.progress_bar import show_progress
from pipeline.publish import JOURNAL, OUTCOME, find_existing, of_naming
from pipeline.summary import summarise
from transforms.files import absolute, exists, join, list_folder, make_folder, read_bytes, remove
from transforms.layout import MANIFEST, ShardLayout
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
    overwrite: bool
    quiet: bool
    beam_options: tuple[str, ...]


def create(arguments: CreateArguments, out: TextIO, err: TextIO) -> None:
    """Makes a dataset.

    Args:
        arguments: of the command.
        out: where the summary goes.
        err: where progress and warnings go.

    Raises:
        UsageError: arguments, parameter file or input are wrong; nothing was done.
        TooManyRejectedError: rows or images are bad; nothing was published.
        SteelbeamError: the run failed; nothing was published.
    """
    started = time.monotonic()
    pipeline = _make_pipeline(arguments.beam_options)
    job = _prepare(arguments, err)
    PROGRESS.restart()
    with _stop_on_signal(job, err), show_progress(PROGRESS, err, quiet=arguments.quiet):
        _run(job, pipeline)
    if not exists(join(job.root, MANIFEST)):
        raise SteelbeamError(f"the runner says that it is done, but {_describe_state(job)}")
    if not arguments.quiet:
        content = json.loads(read_bytes(join(job.root, MANIFEST)))
        out.write(summarise(content, job.output_dir, time.monotonic() - started))


def _make_pipeline(beam_options: Sequence[str]) -> beam.Pipeline:
    options = PipelineOptions(["--runner", DEFAULT_RUNNER, *beam_options], save_main_session=False)
    try:
        return beam.Pipeline(options=options)
    except (ValueError, ImportError) as error:
        raise UsageError(f"Apache Beam refuses its options: {_last_line(error)}") from error


def _prepare(arguments: CreateArguments, err: TextIO) -> Job:
    """Everything that can be wrong before any work, and the job."""
    layout = ShardLayout(arguments.name, arguments.num_output_files, arguments.num_processes or os.cpu_count() or 1)
    params = read_params(arguments.params)
    splits = tuple(params.splits)
    job = make_job(
        params,
        layout,
        output_dir=arguments.output_dir,
        input_args={
            "name": arguments.name,
            "num_output_files": arguments.num_output_files,
            "num_processes": arguments.num_processes,
            "output_dir": arguments.output_dir,
            "params": arguments.params,
        },
        workers=arguments.workers,
        replaces=_find_replaced(arguments, splits, err),
    )
    try:
        make_folder(job.staging)
        remove([join(job.staging, OUTCOME)])
    except OSError as error:
        raise SteelbeamError(
            f"{job.output_dir}: cannot be written to ({error}); choose another --output_dir"
        ) from error
    return job


def _find_replaced(arguments: CreateArguments, splits: Sequence[str], err: TextIO) -> tuple[str, ...]:
    """Files of somebody else's dataset that this one takes the place of, as `--overwrite` allows."""
    root = absolute(arguments.output_dir)
    if not exists(root):
        return ()
    if os.path.isfile(root):
        raise UsageError(f"{arguments.output_dir}: is a file; choose a folder for --output_dir")
    foreign = find_existing(root, _hdf5_files(root, splits)).foreign
    if foreign and not arguments.overwrite:
        shown = ", ".join(foreign[:3]) + (f" and {len(foreign) - 3} more" if len(foreign) > 3 else "")
        raise UsageError(
            f"{arguments.output_dir}: holds HDF5 files that are not of a dataset of steelbeam ({shown}); "
            f"choose another --output_dir, or add --overwrite to replace those named {arguments.name}-<i>_p<j>.h5"
        )
    replaced = of_naming(foreign, arguments.name)
    if kept := sorted(set(foreign).difference(replaced)):
        err.write(f"warning: {len(kept)} HDF5 files of other names stay in {arguments.output_dir}: {kept[0]} …\n")
    return tuple(replaced)


def _hdf5_files(root: str, splits: Sequence[str]) -> Iterator[str]:
    for split in splits:
        if exists(join(root, split)):
            names = (info.path.rsplit("/", 1)[-1] for info in list_folder(join(root, split)))
            yield from (f"{split}/{name}" for name in names if name.endswith((".h5", ".hdf5")))


def _run(job: Job, pipeline: beam.Pipeline) -> None:
    try:
        build_graph(pipeline, job)
        pipeline.run().wait_until_finish()
    except Exception as error:
        _raise_outcome(job)
        raise SteelbeamError(f"the run failed: {_last_line(error)}\n{_describe_state(job)}") from error


def _raise_outcome(job: Job) -> None:
    """Raises what the graph itself says of its failure, where it says anything."""
    if exists(join(job.staging, OUTCOME)):
        outcome = json.loads(read_bytes(join(job.staging, OUTCOME)))
        kind = TooManyRejectedError if outcome["exit_status"] == TooManyRejectedError.exit_status else SteelbeamError
        raise kind(outcome["message"])


def _describe_state(job: Job) -> str:
    """What a run that did not come to its end has left."""
    if exists(join(job.root, JOURNAL)):
        return f"in the middle of publishing; {job.output_dir} is no dataset until the same command has ended"
    if not exists(job.staging):
        return f"the dataset in {job.output_dir} is whole"
    shards = f"{count_staged(job.staging, job.splits)} of {len(job.splits) * job.layout.num_shards} shards"
    return f"nothing was published; {shards} are finished in {job.staging}, where the same command takes them up"


def _last_line(error: BaseException) -> str:
    """A runner's error is the text of a traceback; its last line is what happened."""
    lines = [line for line in str(error).splitlines() if line.strip()]
    return lines[-1].strip() if lines else type(error).__name__


@contextlib.contextmanager
def _stop_on_signal(job: Job, err: TextIO) -> Iterator[None]:
    """On Ctrl-C or SIGTERM says what was written, and leaves at once: threads under way are not waited for."""

    def stop(number: int, _: FrameType | None) -> None:
        remove_attempts()
        err.write(f"\nstopped: {_describe_state(job)}\n")
        err.flush()
        os._exit(128 + number)

    previous = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
