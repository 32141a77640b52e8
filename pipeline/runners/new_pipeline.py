"""Makes a pipeline of Beam, without steps, from the options of the command line."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar, cast

import apache_beam as beam
from apache_beam.options.pipeline_options import DirectOptions, PipelineOptions, StandardOptions
from apache_beam.portability.api import beam_provision_api_pb2
from apache_beam.runners.portability.fn_api_runner.fn_runner import ExtendedProvisionInfo, FnApiRunner
from apache_beam.runners.portability.portable_runner import JobServiceHandle

from maskmill.pipeline.errors import UsageError, last_line
from maskmill.pipeline.runners import quick_graph
from maskmill.pipeline.runners.check_settings import check_settings
from maskmill.pipeline.runners.in_process_runner import InProcessRunner
from maskmill.pipeline.runners.make_runner import DEFAULT_RUNNER, make_runner
from maskmill.pipeline.runners.worker_output import logged
from maskmill.transforms.parallel.memory import tune_malloc

View = TypeVar("View", bound=PipelineOptions)


class _Options(PipelineOptions):
    """Options whose views are made once: Beam asks for several a step, and makes a parser for each."""

    def view_as(self, cls: type[View]) -> View:
        views: dict[type[PipelineOptions], Any] = self.__dict__.setdefault("_views", {})
        if cls not in views:
            views[cls] = super().view_as(cls)
        return cast(View, views[cls])


@contextlib.contextmanager
def new_pipeline(beam_options: Sequence[str]) -> Iterator[beam.Pipeline]:
    """Makes a pipeline without steps; its temporary folder is removed at the end.

    From here on `FileSystems` uses the options, too.

    Raises:
        UsageError: the options are wrong, or the runner does not suit.
    """
    quick_graph.install()
    options = _Options(["--runner", DEFAULT_RUNNER, *beam_options], save_main_session=False)
    name = options.view_as(StandardOptions).runner
    runner = _in_process_runner(options) if name == DEFAULT_RUNNER else make_runner(name)
    try:
        pipeline = beam.Pipeline(runner, options=options)
    except (ValueError, ImportError) as error:
        raise UsageError(f"Apache Beam refuses its options: {last_line(error)}") from error
    check_settings(pipeline)
    if type(pipeline.runner).__name__ == "FlinkRunner":
        from maskmill.pipeline.runners import flink  # slow, and needed only here

        flink.install()
    try:
        with logged():
            yield pipeline
    finally:
        shutil.rmtree(pipeline.local_tempdir, ignore_errors=True)


def _in_process_runner(options: PipelineOptions) -> InProcessRunner:
    """Makes the default runner; it passes the options to worker processes, which else lack a store's credentials."""
    tune_malloc()  # for its many buffers, too
    encoded = JobServiceHandle.encode_pipeline_options(options.get_all_options())
    return InProcessRunner(
        provision_info=ExtendedProvisionInfo(beam_provision_api_pb2.ProvisionInfo(pipeline_options=encoded))
    )


def runner_name(pipeline: beam.Pipeline) -> str:
    """Returns the name of a pipeline's runner, as `--runner` takes it."""
    return DEFAULT_RUNNER if isinstance(pipeline.runner, InProcessRunner) else type(pipeline.runner).__name__


def runs_here(pipeline: beam.Pipeline) -> bool:
    """Whether a pipeline runs wholly in this process."""
    return _mode_in_process(pipeline) == "in_memory"


def counts_here(pipeline: beam.Pipeline) -> bool:
    """Whether `PROGRESS` counts the work of a pipeline, which Beam's worker processes or a cluster may do."""
    return _mode_in_process(pipeline) in ("in_memory", "multi_threading")


def _mode_in_process(pipeline: beam.Pipeline) -> str | None:
    """Mode of the default runner; None for another runner."""
    if not isinstance(pipeline.runner, FnApiRunner):
        return None
    mode: str = pipeline.options.view_as(DirectOptions).direct_running_mode
    return mode
