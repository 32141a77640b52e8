"""The plan of the shards is what `WriteShards` then does, and it changes nothing."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import apache_beam as beam
import pytest
from apache_beam.testing.util import assert_that, equal_to

from maskmill.transforms.rejected import Rejected
from maskmill.transforms.shards.hdf5_file import estimate_bytes
from maskmill.transforms.shards.records import KEPT, REUSED, ReusableShard, ShardKey, ShardSummary
from maskmill.transforms.sink.find_shard import SinkOptions
from maskmill.transforms.sink.plan_shards import PlanShard, PlanShards, is_planned
from maskmill.transforms.sink.write_shards import WriteShard
from tests.support.builders import in_process, write_images
from tests.support.shards import FORM, KEY, spec_of
from tests.support.shortcut import outputs_of


@pytest.fixture(name="images")
def make_images(tmp_path: Path) -> Path:
    write_images(tmp_path / "images", ["a.jpg", "b.jpg"])
    return tmp_path / "images"


@pytest.fixture(name="options")
def make_options(tmp_path: Path) -> SinkOptions:
    return SinkOptions(forms={"train_input": FORM}, staging=str(tmp_path / "staging"), workers=2)


def plan(options: SinkOptions, specs: list) -> ShardSummary:
    [summary] = outputs_of(PlanShard(options), [(KEY, specs)])
    return summary


def test_a_new_shard_is_estimated_without_opening_an_image(tmp_path: Path, options: SinkOptions) -> None:
    specs = [spec_of(tmp_path / "gone.jpg", rows=2)] * 3
    summary = plan(options, specs)
    assert is_planned(summary)
    assert (summary.path, summary.rows, summary.merged, summary.classes) == (KEY.path, 6, 3, {3: 3})
    assert (summary.stored.examples, summary.stored.bytes) == (3, 3 * estimate_bytes(FORM))
    assert list(tmp_path.iterdir()) == []


def test_a_shard_that_is_there_is_planned_as_it_is_then_obtained(
    tmp_path: Path, images: Path, options: SinkOptions
) -> None:
    specs = [spec_of(images / "a.jpg"), spec_of(images / "b.jpg")]
    [written] = outputs_of(WriteShard(options), [(KEY, specs)])
    assert plan(options, specs) == written
    elsewhere = dataclasses.replace(options, staging=str(tmp_path / "other"))
    kept = dataclasses.replace(elsewhere, published={written.path: written.stored})
    [shard] = (tmp_path / "staging").rglob("*.h5")
    reusable = {written.stored.fingerprint: ReusableShard(str(shard), written.stored)}
    reused = dataclasses.replace(elsewhere, reusable=reusable)
    for options, state in ((kept, KEPT), (reused, REUSED)):
        planned = plan(options, specs)
        assert planned == written._replace(state=state)
        assert not is_planned(planned)
        assert not (tmp_path / "other").exists()
        assert [planned] == outputs_of(WriteShard(options), [(KEY, specs)])


def test_what_is_missing_from_a_shard_that_is_there_is_named(images: Path, options: SinkOptions) -> None:
    (images / "b.jpg").write_bytes(b"")
    specs = [spec_of(images / "a.jpg"), spec_of(images / "b.jpg")]
    written = outputs_of(WriteShard(options), [(KEY, specs)])
    assert [type(one) for one in written] == [Rejected, ShardSummary]
    assert outputs_of(PlanShard(options), [(KEY, specs)]) == written


def test_it_works_in_a_pipeline_for_every_shard(tmp_path: Path, options: SinkOptions) -> None:
    shards = [
        (ShardKey("train_input", number, f"data-{number}_p0.h5"), [spec_of(tmp_path / "gone.jpg")] * number)
        for number in range(9)
    ]
    with in_process() as pipeline:
        planned = pipeline | beam.Create(shards) | PlanShards(options=options)
        counts = planned.summaries | beam.Map(lambda one: (one.number, one.stored.examples))
        assert_that(counts, equal_to([(number, number) for number in range(9)]))
