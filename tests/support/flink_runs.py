"""Runs of `maskmill create` on a Flink cluster of this machine, and what is killed meanwhile."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path

import psutil

from configs.flink.local_cluster import LocalCluster
from tests.support.command import ROOT
from tests.support.foreign_modules import write_foreign

CREATE = ROOT / "configs" / "flink" / "create.sh"
# A hard limit of everything that is waited for, not what it takes.
LIMIT_SECONDS = 240


def write_programs(folder: Path) -> Path:
    """Writes the two programs of the package, wherever this Python has it from; returns their folder.

    Foreign modules named pipeline and transforms come first on their path, and must change nothing.
    It stands in the command line of whatever they start, too: see `commands_of`.
    """
    folder.mkdir()
    foreign = write_foreign(folder / "foreign", packages=True)
    for name, module in (("maskmill", "maskmill"), ("maskmill-worker", "maskmill.pipeline.runners.worker")):
        program = folder / name
        program.write_text(
            f'#!/bin/sh\nPYTHONPATH="{foreign}:{ROOT}" exec "{sys.executable}" '
            f'-X started_in="{folder}" -m {module} "$@"\n'
        )
        program.chmod(0o755)
    return folder


class FlinkRun:
    """A run of the command, under way.

    Args:
        cluster: where it runs.
        programs: see `write_programs`.
        output: its output folder.
        arguments: of `maskmill create`, without the output folder.
        cwd: current folder of the command.
        env: variables for it, besides those of the cluster.
    """

    def __init__(
        self,
        cluster: LocalCluster,
        programs: Path,
        output: Path,
        *arguments: str,
        cwd: Path = ROOT,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self._output = output
        self._cluster = cluster
        self._earlier = _job_ids(cluster)
        self._process = subprocess.Popen(
            [CREATE, *arguments, "--output_dir", str(output)],
            cwd=cwd,
            env={**os.environ, **cluster.variables, "BIN": str(programs), **(env or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def job(self) -> str:
        """Waits until the cluster shows the job of this run; gives its id.

        The list of jobs may be some seconds old, and so may lack a job that runs already.
        """
        deadline = time.monotonic() + LIMIT_SECONDS
        while not (found := _job_ids(self._cluster) - self._earlier):
            assert self._process.poll() in (None, 0), "".join(self._process.communicate())
            assert time.monotonic() < deadline, "the cluster shows no job"
            time.sleep(0.1)
        [job] = found
        return job

    def end(self, status: int = 0) -> str:
        """Waits for its end and checks its exit status; gives what it said."""
        try:
            out, err = self._process.communicate(timeout=LIMIT_SECONDS)
        finally:
            self._process.kill()
        assert self._process.returncode == status, f"exit status {self._process.returncode}\n{out}\n{err}"
        return out + err

    def stop(self) -> None:
        """Stops it as a person does who has had enough."""
        self._process.send_signal(signal.SIGTERM)

    def wait_for_shards(self, number: int) -> dict[str, int]:
        """Waits until so many shards are finished and nothing is published; gives their names, and when they were."""
        self._wait(lambda: len(self._finished()) >= number)
        self.check_unpublished()
        return self._finished()

    def check_unpublished(self) -> None:
        """Checks that what was just done has come before the end of publishing."""
        assert not (self._output / "manifest.json").exists()

    def _finished(self) -> dict[str, int]:
        records = self._output.glob(".staging/*/*_input/*.h5.json")
        with contextlib.suppress(FileNotFoundError):
            shards = [path.with_suffix("") for path in records]
            return {f"{path.parent.name}/{path.name.split('-', 1)[1]}": path.stat().st_mtime_ns for path in shards}
        return {}

    def _wait(self, is_so: Callable[[], bool]) -> None:
        deadline = time.monotonic() + LIMIT_SECONDS
        while not is_so():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self._process.kill()
                raise AssertionError("".join(self._process.communicate()))
            time.sleep(0.01)


def workers(cluster: LocalCluster, task_manager: str) -> list[psutil.Process]:
    """Python workers that a TaskManager has started."""
    group = cluster.group(task_manager)
    return [one for one in psutil.process_iter() if _group_of(one) == group and one.pid != group]


def commands_of(folder: Path) -> list[str]:
    """Command lines of running processes that name a folder, be it a cluster's or that of the programs."""
    lines = [" ".join(one.info["cmdline"] or ()) for one in psutil.process_iter(["cmdline"])]
    return [line for line in lines if str(folder) in line]


def kill_workers(cluster: LocalCluster, *task_managers: str) -> None:
    """Kills the Python workers of TaskManagers, each of which has some."""
    for task_manager in task_managers:
        found = workers(cluster, task_manager)
        assert found, f"{task_manager} has no workers"
        for worker in found:
            worker.kill()


def _group_of(process: psutil.Process) -> int | None:
    with contextlib.suppress(ProcessLookupError):
        return os.getpgid(process.pid)
    return None


def _job_ids(cluster: LocalCluster) -> set[str]:
    return {job["jid"] for job in cluster.get("jobs/overview")["jobs"]}


def last_job(cluster: LocalCluster) -> dict:
    """What the cluster says of the job that it was given last, if that was some seconds ago."""
    jobs = cluster.get("jobs/overview")["jobs"]
    return cluster.get(f"jobs/{max(jobs, key=lambda job: job['start-time'])['jid']}")


def cancel(cluster: LocalCluster, job: str) -> None:
    """Cancels a job, as somebody does who looks at the cluster."""
    address = f"http://{cluster.master}/v1/jobs/{job}?mode=cancel"
    urllib.request.urlopen(urllib.request.Request(address, method="PATCH"), timeout=30).close()


def failures(cluster: LocalCluster, job: str) -> list[str]:
    """Names of the tasks of a job that have failed, and were started again."""
    history = cluster.get(f"jobs/{job}/exceptions")["exceptionHistory"]
    return [entry["taskName"] for entry in history["entries"]]


def writers(cluster: LocalCluster, job: str) -> set[str]:
    """TaskManagers that were given shards to write by a job."""
    [step] = [one for one in cluster.get(f"jobs/{job}")["vertices"] if "WriteShards" in one["name"]]
    found = cluster.get(f"jobs/{job}/vertices/{step['id']}/taskmanagers")["taskmanagers"]
    return {one["taskmanager-id"] for one in found if one["metrics"]["read-records"]}
