"""A run without a runner, for tests that need hundreds of runs."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from apache_beam.pvalue import TaggedOutput
from apache_beam.runners.runner import PipelineState
from apache_beam.utils.windowed_value import WindowedValue

from maskmill.pipeline.dataset.baseline import Baseline
from maskmill.pipeline.dataset.publish import Publish
from maskmill.pipeline.job.job import Job
from maskmill.pipeline.job.run import Run
from maskmill.transforms.annotations.csv_blocks import split_into_blocks
from maskmill.transforms.annotations.list_images import list_images, number_folders
from maskmill.transforms.annotations.read_annotations import BLOCK_BYTES, ReadRows
from maskmill.transforms.sink.find_shard import SinkOptions
from maskmill.transforms.sink.write_shards import WriteShard


def outputs_of(step: WriteShard, shards: Iterable[Any]) -> list[Any]:
    """What the step yields for a bundle of shards, without tags and windows."""
    step.start_bundle()
    outputs = [output for shard in shards for output in step.process(shard)]
    outputs += step.finish_bundle()
    return [_value_of(output) for output in outputs]


def _value_of(output: Any) -> Any:
    return _value_of(output.value) if isinstance(output, TaggedOutput | WindowedValue) else output


class Shortcut:
    """Does what the steps of a run do that touch files, one after the other, some thirty times as fast as a runner.

    What the steps are given is noted in a real run. It is right for further runs of the same input and parameters.

    Args:
        run: makes a dataset where there is none.
    """

    runner = None

    def __init__(self, run: Callable[[], object]) -> None:
        self._shards: list[Any] = []
        self._metadata: Any = None
        self._job: Job | None = None
        self._baseline = Baseline()
        self._run: Run | None = None
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(WriteShard, "process", self._noting(WriteShard.process, self._shards.append))
            patch.setattr(Publish, "process", self._noting(Publish.process, self._note_metadata))
            run()

    def _noting(self, real: Callable[..., Any], note: Callable[[Any], object]) -> Callable[..., Any]:
        def process(step: Any, element: Any) -> Any:
            note(element)
            return real(step, element)

        return process

    def _note_metadata(self, metadata: Any) -> None:
        self._metadata = metadata

    @contextlib.contextmanager
    def taken(self) -> Iterator[None]:
        """Has `create` take the shortcut while the body runs."""

        def note_job(_: object, job: Job, baseline: Baseline, run: Run, __: object) -> None:
            self._job, self._baseline, self._run = job, baseline, run

        with pytest.MonkeyPatch.context() as patch:
            # Beam's own pipeline takes half the time, for the reading of options that there are none of.
            patch.setattr("maskmill.pipeline.create.make_dataset.new_pipeline", lambda _: contextlib.nullcontext(self))
            patch.setattr("maskmill.pipeline.create.run_graph.build_graph", note_job)
            yield

    def run(self) -> Shortcut:
        """Runs the steps, in place of a `beam.Pipeline`."""
        assert self._job is not None
        assert self._run is not None
        job, baseline = self._job, self._baseline
        for file in job.input.files:
            for block in split_into_blocks(file, BLOCK_BYTES):
                list(ReadRows(job.input.sources).process(block))
        for folder in number_folders(job.input.folders):
            list(list_images(*folder))
        options = SinkOptions(
            forms=job.form.examples,
            staging=job.output.staging,
            published=baseline.published,
            workers=self._run.workers,
        )
        written = {}
        for shard in self._shards:
            *_, summary = outputs_of(WriteShard(options), [shard])
            written[summary.path] = summary
        shards = tuple(written[summary.path] for summary in self._metadata.shards)
        list(Publish(job, baseline, self._run).process(self._metadata._replace(shards=shards)))
        return self

    def wait_until_finish(self) -> str:
        """There is nothing to wait for."""
        return PipelineState.DONE
