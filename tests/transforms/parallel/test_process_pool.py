"""Processes of a pool: they end with the run, however it ends, and their death is not taken for success."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from multiprocessing import connection
from pathlib import Path

import psutil
import pytest

from maskmill.transforms.parallel.process_pool import LostProcessError, losses_told, process_pool
from tests.support.builders import write_dataset, write_params
from tests.support.command import ROOT, create, digest, manifest, run_maskmill

IMAGES = 400
# Enough shards for two processes.
SHARDS = "--num_output_files=10"


@pytest.fixture(name="params", scope="module")
def make_params(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a dataset that is large enough for processes, which are at work for some seconds."""
    folder = tmp_path_factory.mktemp("many")
    run_maskmill("sample", folder / "data", "--images", str(IMAGES), "--quiet")
    maskmill = {"negatives": "all"}
    return write_params(folder / "params.yaml", folder / "data", image_shape=[1024, 1600, 1], maskmill=maskmill)


def test_what_cannot_be_made_is_rejected_as_by_threads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = write_dataset(tmp_path / "data", [f"{index}.jpg,3,{1 + index} 2" for index in range(20)])
    (data / "train_images" / "3.jpg").write_bytes(b"")
    with open(data / "train.csv", "a", encoding="utf-8") as csv:
        csv.write("5.jpg,3,1 2\n7.jpg,3,9 100000\n")
    flags = ("--max_rejected=9", "--workers=2", SHARDS)
    threads = create(tmp_path, data, *flags, output="threads")
    monkeypatch.setattr("maskmill.pipeline.create.make_dataset.PROCESSES_FROM_CSV_BYTES", 0)
    processes = create(tmp_path, data, *flags, output="processes")
    assert digest(processes) == digest(threads)
    assert (processes / "rejected.jsonl").read_bytes() == (threads / "rejected.jsonl").read_bytes()
    assert manifest(processes)["rejected"] == {"IMAGE_EMPTY": 1, "RLE_OUT_OF_BOUNDS": 1}


def die_amid_sending() -> bytes:
    """Ends its process when half of the result is sent."""

    def send_half(sender: connection.Connection, content: bytes) -> None:
        os.write(sender.fileno(), bytes(content)[: len(content) // 2])
        os.kill(os.getpid(), signal.SIGKILL)

    connection.Connection._send = send_half
    return bytes(1000)


def test_a_process_that_dies_amid_sending_a_result_is_noticed() -> None:
    pool = process_pool(2)
    others = [pool.submit(time.sleep, 1) for _ in range(2)]
    with pytest.raises(LostProcessError), losses_told():
        pool.submit(die_amid_sending).result(timeout=60)
    assert all(other.done() for other in others)


def start(params: Path, output: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "maskmill", "create", "--params", str(params), "--output_dir", str(output)]
    return subprocess.Popen(
        [*command, "--workers=2", SHARDS], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def decoders(process: subprocess.Popen[str]) -> list[psutil.Process]:
    """The processes that decode, once they are at work: children of the one that has done the imports."""
    run = psutil.Process(process.pid)
    for _ in range(600):
        with contextlib.suppress(psutil.NoSuchProcess):  # one that ends while it is looked at is none of them
            found = [one for server in run.children() for one in server.children()]
            if len(found) == 2 and all(one.cpu_times().user > 0.05 for one in found):
                return found
        time.sleep(0.05)
        assert process.poll() is None, process.communicate()
    raise AssertionError("no process has begun to decode")


def wait_for_end(processes: list[psutil.Process]) -> None:
    _, alive = psutil.wait_procs(processes, timeout=20)
    assert alive == []


def test_they_end_with_the_run(params: Path, tmp_path: Path) -> None:
    with start(params, tmp_path / "out") as process:
        found = decoders(process)
        out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert "examples" in out
    wait_for_end(found)


def test_the_death_of_one_fails_the_run_which_the_same_command_completes(params: Path, tmp_path: Path) -> None:
    with start(params, tmp_path / "out") as process:
        victim, *others = decoders(process)
        victim.kill()
        _, err = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "a process that decodes was killed from outside" in err
    assert "Traceback" not in err
    assert not (tmp_path / "out" / "manifest.json").exists()
    wait_for_end(others)
    run_maskmill("create", "--params", params, "--output_dir", tmp_path / "out", SHARDS, "--quiet")
    assert manifest(tmp_path / "out")["rows"]["rejected"] == 0


@pytest.mark.parametrize(
    "number", [signal.SIGKILL, *(pytest.param(one, marks=pytest.mark.slow) for one in (signal.SIGTERM, signal.SIGINT))]
)
def test_they_end_where_the_run_is_stopped(params: Path, tmp_path: Path, number: int) -> None:
    with start(params, tmp_path / "out") as process:
        found = psutil.Process(process.pid).children(recursive=True) + decoders(process)
        os.kill(process.pid, number)
        _, err = process.communicate(timeout=60)
    wait_for_end(found)
    assert "leaked semaphore" not in err
    assert number == signal.SIGKILL or err.endswith("the same command resumes\n")
