"""Beam's runner in this process, as it is used here: what a stage has needed is not kept for the rest of the run."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import apache_beam as beam
import pytest
from apache_beam.io.restriction_trackers import OffsetRange, OffsetRestrictionTracker
from apache_beam.runners.portability.fn_api_runner.fn_runner import FnApiRunner
from apache_beam.runners.worker.bundle_processor import BundleProcessor
from apache_beam.testing.util import assert_that, equal_to
from apache_beam.transforms.core import RestrictionProvider

from maskmill.pipeline.runners import in_process_runner
from maskmill.pipeline.runners.in_process_runner import InProcessRunner


def count_processors(_: object) -> int:
    """Number of stages whose processors, with their buffers, are in memory."""
    gc.collect()
    return sum(isinstance(one, BundleProcessor) for one in gc.get_objects())


def test_stages_that_are_done_keep_nothing() -> None:
    with beam.Pipeline(runner=InProcessRunner()) as pipeline:
        grouped = pipeline | beam.Create([(1, 2), (1, 3)]) | beam.GroupByKey() | beam.Reshuffle()
        assert_that(grouped | beam.Map(count_processors), equal_to([1]))


def test_beams_own_runner_keeps_the_processors_of_all_stages() -> None:
    # If this fails, Beam releases them itself, and the trick can go.
    with beam.Pipeline(runner=FnApiRunner()) as pipeline:
        grouped = pipeline | beam.Create([(1, 2), (1, 3)]) | beam.GroupByKey() | beam.Reshuffle()
        assert_that(grouped | beam.Map(count_processors), check_more_than_one)


def check_more_than_one(found: list[int]) -> None:
    assert len(found) == 1
    assert found[0] > 1


def test_a_beam_that_calls_it_in_another_way_runs_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: object) -> None:
        raise AttributeError("there are no worker_handlers any more")

    monkeypatch.setattr(in_process_runner, "_release_processors", refuse)
    with beam.Pipeline(runner=InProcessRunner()) as pipeline:
        assert_that(pipeline | beam.Create([(1, 2)]) | beam.GroupByKey() | beam.Keys(), equal_to([1]))


class CountOneByOne(beam.DoFn, RestrictionProvider):
    """Counts up to an element, one number in a bundle."""

    def initial_restriction(self, element: int) -> OffsetRange:
        return OffsetRange(0, element)

    def create_tracker(self, restriction: OffsetRange) -> OffsetRestrictionTracker:
        return OffsetRestrictionTracker(restriction)

    def restriction_size(self, _: int, restriction: OffsetRange) -> int:
        return restriction.size()

    def process(
        self,
        _: int,
        tracker: OffsetRestrictionTracker = beam.DoFn.RestrictionParam(),  # noqa: B008 - as Beam wants it
    ) -> Iterator[int]:
        number = tracker.current_restriction().start
        if tracker.try_claim(number):
            yield number
            tracker.defer_remainder()


def test_a_stage_of_several_bundles_does_all_of_them() -> None:
    with beam.Pipeline(runner=InProcessRunner()) as pipeline:
        counted = pipeline | beam.Create([4]) | beam.ParDo(CountOneByOne())
        assert_that(counted, equal_to([0, 1, 2, 3]))
