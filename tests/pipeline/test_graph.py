"""Beam's counters of a run, as runners show them."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

from apache_beam.metrics import MetricsFilter

from maskmill.pipeline.dataset.baseline import Baseline
from maskmill.pipeline.graph import build_graph
from maskmill.pipeline.job.job import Job
from maskmill.pipeline.job.params_file import read_params
from maskmill.pipeline.job.read_job import make_job
from maskmill.pipeline.job.rejected_limit import parse_limit
from maskmill.pipeline.runners.new_pipeline import new_pipeline
from maskmill.transforms.assignment.shard_layout import ShardLayout
from maskmill.transforms.parallel.progress import PROGRESS
from tests.support.builders import A_RUN, write_dataset, write_params
from tests.support.command import ROOT

ROWS = ["a.jpg,3,1 2", "b.jpg,3,1 2", "c.jpg,3,1 2", "d.jpg,3,1 2", "none.jpg,3,1 2", "e.jpg,4,", "f.jpg,3,x"]


def new_job(tmp_path: Path) -> Job:
    data = write_dataset(tmp_path / "data", ROWS)
    (data / "train_images" / "none.jpg").unlink()
    params = write_params(tmp_path / "params.yaml", data)
    layout = ShardLayout("data", 2, 1)
    return make_job(read_params(str(params)), layout, output_dir=str(tmp_path / "out"), input_args={})


def count(job: Job) -> dict[str, int]:
    """Runs a job; gives the counters of maskmill."""
    with new_pipeline([]) as pipeline:
        build_graph(pipeline, job, Baseline(), dataclasses.replace(A_RUN, max_rejected=parse_limit("100%")))
        result = pipeline.run()
        result.wait_until_finish()
        found = result.metrics().query(MetricsFilter().with_namespace("maskmill"))["counters"]
    return {counter.key.metric.name: counter.committed for counter in found if counter.committed}


def test_a_run_counts_rows_shards_examples_bytes_and_what_was_rejected(tmp_path: Path) -> None:
    counted = count(new_job(tmp_path))
    size = sum(path.stat().st_size for path in (tmp_path / "out").rglob("*.h5"))
    assert counted == {
        "read-rows": 7,
        "write-shards": 4,
        "write-examples": 4,
        "write-bytes": size,
        "reject-image-missing": 1,
        "reject-rle-not-numbers": 1,
    }


def test_a_run_says_how_many_examples_to_expect_and_how_many_are_done(tmp_path: Path) -> None:
    PROGRESS.restart()
    try:
        count(new_job(tmp_path))
        assert (PROGRESS.expected, PROGRESS.done) == (4, 4)
    finally:
        PROGRESS.restart()


def test_the_docs_name_every_counter() -> None:
    source = "".join(path.read_text() for path in (ROOT / "transforms").rglob("*.py"))
    counters = set(re.findall(r'Metrics\.counter\("maskmill", f?"([a-z-]+)', source))
    assert len(counters) == 7
    page = (ROOT / "docs" / "running.md").read_text()
    assert [name for name in counters if f"`{name}" not in page] == []
