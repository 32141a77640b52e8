"""Progress where the work is not done in the process that shows it."""

from __future__ import annotations

import dataclasses
import io
import json
import queue
import shutil
from pathlib import Path

import pytest

from maskmill.pipeline.cli import main
from maskmill.pipeline.create.run_progress import StagedProgress, show_run_progress
from maskmill.pipeline.dataset.baseline import Baseline
from maskmill.pipeline.job.job import Job, make_job
from maskmill.pipeline.job.params_file import read_params
from maskmill.pipeline.messages import progress_bar
from maskmill.pipeline.messages.run_log import RunLog
from maskmill.pipeline.runners.new_pipeline import new_pipeline
from maskmill.transforms.assignment.shard_layout import ShardLayout
from maskmill.transforms.shards.records import StoredShard
from tests.support.builders import write_dataset, write_params

ELSEWHERE = ("--direct_running_mode=multi_processing", "--direct_num_workers=1")


@pytest.fixture(autouse=True)
def _quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress_bar, "LINE_SECONDS", 0.01)


@pytest.fixture(name="data")
def make_data(tmp_path: Path) -> Path:
    return write_dataset(tmp_path / "data", [f"{index}.jpg,3,{1 + index} 2" for index in range(4)])


@pytest.fixture(name="job")
def new_job(tmp_path: Path, data: Path) -> Job:
    params = read_params(str(write_params(tmp_path / "params.yaml", data)))
    return make_job(params, ShardLayout("data", 2, 1), output_dir=str(tmp_path / "out"), input_args={})


def stage(job: Job, split: str, *numbers: int) -> None:
    """Leaves in the staging folder what shards that are finished leave there."""
    folder = Path(job.output.staging, split)
    folder.mkdir(parents=True, exist_ok=True)
    for number in numbers:
        (folder / f"0123456789abcdef-data-{number}_p0.h5").touch()
        (folder / f"0123456789abcdef-data-{number}_p0.h5.json").touch()


class Lines(io.StringIO):
    """Hands lines over as they are written."""

    def __init__(self) -> None:
        super().__init__()
        self.queue: queue.SimpleQueue[str] = queue.SimpleQueue()

    def write(self, text: str) -> int:
        self.queue.put(text)
        return len(text)


def shown(job: Job, baseline: Baseline | None = None) -> str:
    """A line of progress."""
    lines = Lines()
    with (
        new_pipeline(ELSEWHERE) as pipeline,
        show_run_progress(job, baseline or Baseline(), pipeline, RunLog(lines), quiet=False),
    ):
        return lines.queue.get(timeout=30)


def test_shards_count_as_soon_as_they_are_finished_and_while_they_are_published(job: Job) -> None:
    progress = StagedProgress(job.output.staging, job.splits, 4)
    assert (progress.done, progress.expected) == (0, 4)
    stage(job, "train_input", 0, 1)
    (Path(job.output.staging) / "train_input" / "0123456789abcdef-data-2_p0.h5").touch()
    assert progress.done == 2
    stage(job, "eval_input", 1)
    assert progress.done == 3
    shutil.rmtree(job.output.staging)
    assert progress.done == 3


def test_a_folder_that_cannot_be_listed_changes_nothing(job: Job) -> None:
    progress = StagedProgress(job.output.staging, job.splits, 4)
    stage(job, "train_input", 0)
    assert progress.done == 1
    Path(job.output.staging, "eval_input").touch()
    assert progress.done == 1


def test_the_line_names_the_number_of_shards_where_it_is_known(job: Job) -> None:
    stage(job, "train_input", 0, 1)
    assert shown(job) == "2 of 4 shards are finished\n"
    kept = Baseline(published={"train_input/data-0_p0.h5": StoredShard(1, 1, "", "")})
    assert shown(job, kept) == "2 shards are finished\n"
    layout = job.output.layout._replace(max_shard_bytes=10**6)
    bounded = dataclasses.replace(job, output=dataclasses.replace(job.output, layout=layout))
    assert shown(bounded) == "2 shards are finished\n"


def test_a_run_whose_workers_are_elsewhere_tells_of_its_shards(
    tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    params = write_params(tmp_path / "params.yaml", data)
    command = ["create", "--params", str(params), "--output_dir", str(tmp_path / "out"), "--num_output_files=2"]
    assert main([*command, *ELSEWHERE, "--log_format=json"]) == 0
    told = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    progress = [one for one in told if one["event"] == "progress"]
    assert progress[0]["message"] == "0 of 4 shards are finished"
    assert {(one["unit"], one["expected"]) for one in progress} == {("shards", 4)}
    assert [one["done"] for one in progress] == sorted(one["done"] for one in progress)
