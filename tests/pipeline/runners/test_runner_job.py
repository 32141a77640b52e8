"""What a run says of a runner that does not bring its job to the end."""

from __future__ import annotations

import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import apache_beam as beam
import pytest
from apache_beam.runners.runner import PipelineResult, PipelineState

from maskmill.pipeline.cli import main
from maskmill.pipeline.runners import runner_job
from tests.support.builders import write_dataset, write_params
from tests.support.command import ROOT, create, tree


class Result(PipelineResult):
    """A job that ends in some state without anything having been done."""

    def wait_until_finish(self, duration: int | None = None) -> str:
        return self.state


class LostJob(Result):
    """A job that a runner has ceased to answer for."""

    def wait_until_finish(self, duration: int | None = None) -> str:
        raise ConnectionError("nobody answers")

    def cancel(self) -> None:
        threading.Event().wait()


def run(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, result: Result) -> str:
    """Runs `create` where there is a dataset of other parameters; gives what it says."""
    data = write_dataset(tmp_path / "data", ["a.jpg,3,1 2", "b.jpg,3,1 2"])
    output = create(tmp_path, data)
    before = tree(output)
    params = write_params(tmp_path / "params.yaml", data, image_shape=[8, 12, 1])
    monkeypatch.setattr(beam.Pipeline, "run", lambda _: result)
    assert main(["create", "--params", str(params), "--output_dir", str(output)]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert before.items() <= tree(output).items()
    assert "is whole" in captured.err
    return captured.err


@pytest.mark.parametrize("state", [PipelineState.CANCELLED, PipelineState.UNKNOWN, PipelineState.DRAINED])
def test_a_job_that_was_not_done_is_a_failed_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    monkeypatch.setattr(runner_job, "CANCEL_SECONDS", 0.1)
    assert f"the job was not done, but is {state}" in run(tmp_path, capsys, monkeypatch, Result(state))


def test_the_manifest_of_an_older_dataset_is_no_success(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    said = run(tmp_path, capsys, monkeypatch, Result(PipelineState.DONE))
    assert "the runner says that it is done, but nothing was published" in said


def test_a_runner_that_is_silent_is_not_waited_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner_job, "CANCEL_SECONDS", 0.1)
    said = run(tmp_path, capsys, monkeypatch, LostJob(PipelineState.RUNNING))
    assert "the run failed: nobody answers" in said
    assert "it may still be at work: cancel it there" in said


def test_a_cluster_that_is_gone_when_the_job_is_submitted_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("maskmill.pipeline.create.make_dataset.check_answers", lambda _: None)
    data = write_dataset(tmp_path / "data", ["a.jpg,3,1 2", "b.jpg,3,1 2"])
    params = write_params(tmp_path / "params.yaml", data)
    jar = tmp_path / "job-server.jar"
    with zipfile.ZipFile(jar, "w"):
        pass
    flink = ["--runner=FlinkRunner", "--flink_master=localhost:1", "--flink_submit_uber_jar"]
    flink += [f"--flink_job_server_jar={jar}", "--environment_type=PROCESS", '--environment_config={"command": "none"}']
    assert main(["create", "--params", str(params), "--output_dir", str(tmp_path / "out"), *flink]) == 1
    said = capsys.readouterr().err
    assert (
        "the run failed: no Flink cluster answers at http://localhost:1 (--flink_master)\nnothing was published" in said
    )


@pytest.mark.parametrize(
    ("message", "described"),
    [
        ("Traceback\nValueError: wrong", "ValueError: wrong"),
        (
            "Unable to fetch remote prism binary at https://x: no route",
            "Unable to fetch remote prism binary: no route; name the program: --prism_location=FILE",
        ),
        (
            "Unable to fetch remote job server jar at https://x",
            "Unable to fetch remote job server jar; name the jar, for Flink: --flink_job_server_jar=FILE",
        ),
        (
            "Channel closed prematurely.",
            "Channel closed prematurely; a worker process died; if memory ran out, give a smaller --direct_num_workers",
        ),
    ],
)
def test_an_error_comes_with_what_to_do_if_that_is_known(message: str, described: str) -> None:
    assert runner_job.describe_error(RuntimeError(message)) == described


def test_a_worker_that_no_runner_answers_says_so() -> None:
    command = [sys.executable, "-m", "maskmill.pipeline.runners.worker", "--id=1-1", "--provision_endpoint=localhost:1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 1
    assert "maskmill-worker: no runner answers at localhost:1" in done.stderr
    assert "Traceback" not in done.stderr
