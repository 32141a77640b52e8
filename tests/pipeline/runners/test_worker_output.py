"""What Beam's workers, in this process or in others, write to standard error: nothing, unless `--debug` asks for it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from maskmill.names import STAGING
from maskmill.pipeline.runners import local_worker
from maskmill.pipeline.runners.worker_output import logged
from tests.support.builders import write_dataset, write_params
from tests.support.command import run_create

MODES = {
    "multi_processing": ("--direct_running_mode=multi_processing", "--direct_num_workers=2"),
    "multi_threading": ("--direct_running_mode=multi_threading", "--direct_num_workers=2"),
}


@pytest.fixture(name="params")
def write_input(tmp_path: Path) -> Path:
    rows = [f"{number:03}.jpg,3,1 5" for number in range(200)]
    return write_params(tmp_path / "params.yaml", write_dataset(tmp_path / "data", rows))


@pytest.mark.parametrize("mode", MODES)
def test_a_run_writes_nothing_of_beam(params: Path, tmp_path: Path, mode: str) -> None:
    said = run_create(params, tmp_path / "out", *MODES[mode])
    assert said.stderr == ""
    assert "the dataset is in" in said.stdout
    again = run_create(params, tmp_path / "quiet", "--quiet", *MODES[mode])
    assert (again.stdout, again.stderr) == ("", "")


@pytest.mark.parametrize("flags", [(), ("--debug",)])
def test_all_of_standard_error_is_objects_and_the_workers_log_only_for_debug(
    params: Path, tmp_path: Path, flags: tuple[str, ...]
) -> None:
    said = run_create(params, tmp_path / "out", *MODES["multi_processing"], "--log_format=json", *flags)
    lines = [json.loads(line) for line in said.stderr.splitlines()]
    assert any("Python sdk harness starting" in line["message"] for line in lines) == bool(flags)
    assert lines[-1]["event"] == "published"


@pytest.mark.parametrize("mode", MODES)
def test_the_error_of_a_worker_is_the_message_of_the_run_and_nothing_else_is_written(
    params: Path, tmp_path: Path, mode: str
) -> None:
    image = tmp_path / "data" / "train_images" / "007.jpg"
    image.unlink()
    image.symlink_to("/proc/self/mem")  # which cannot be read from its beginning
    said = run_create(params, tmp_path / "out", *MODES[mode], status=1).stderr.splitlines()
    assert "Input/output error [while running 'WriteShards" in said[0]
    assert said[1].startswith("nothing was published; ")
    assert len(said) == 2


@pytest.mark.parametrize("killed", ["worker", "all"])
def test_a_worker_that_is_killed_or_stopped_writes_no_traceback(params: Path, tmp_path: Path, killed: str) -> None:
    command = [sys.executable, "-m", "maskmill", "create", f"--params={params}", f"--output_dir={tmp_path / 'out'}"]
    command += ["--num_output_files=40", "--log_format=json", *MODES["multi_processing"]]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True) as run:
        workers = wait_for_workers(run.pid, tmp_path / "out" / STAGING)
        if killed == "worker":
            workers[0].kill()
        else:
            os.killpg(run.pid, signal.SIGINT)
        assert run.stderr is not None
        lines = [json.loads(line) for line in run.stderr]
    last = {"worker": ("failed", 1), "all": ("stopped", 130)}[killed]
    assert (lines[-1]["event"], lines[-1]["exit_status"]) == last
    assert run.returncode == last[1]
    if killed == "worker":
        assert "a worker process died" in lines[-1]["message"]


def wait_for_workers(pid: int, staging: Path) -> list[psutil.Process]:
    """Waits until both worker processes have written a shard, or are about to."""
    while True:
        found = []
        for process in psutil.Process(pid).children(recursive=True):
            with contextlib.suppress(psutil.Error):
                if local_worker.MODULE in process.cmdline():
                    found.append(process)
        if len(found) == 2 and any(staging.rglob("*.h5*")):
            return found
        time.sleep(0.01)


def test_threads_that_are_not_beams_are_shown_as_ever(capsys: pytest.CaptureFixture[str]) -> None:
    seen: list[str] = []
    before = threading.excepthook
    threading.excepthook = lambda arguments: seen.append(str(arguments.exc_value))
    try:
        with logged():
            thread = threading.Thread(target=int, args=("no number",))
            thread.start()
            thread.join()
    finally:
        threading.excepthook = before
    assert len(seen) == 1
    assert "no number" in seen[0]


def test_the_command_of_a_worker_stands_a_path_with_spaces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/my python/bin/python")
    assert local_worker.command() == f"exec '/my python/bin/python' -m {local_worker.MODULE}"
