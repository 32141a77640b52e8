"""A Flink cluster of two TaskManagers makes the same dataset, whatever is killed on the way."""

from __future__ import annotations

import json
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from configs.flink.local_cluster import LocalCluster, built
from tests.support.builders import write_params
from tests.support.command import run_create, run_maskmill, tree
from tests.support.flink_runs import (
    FlinkRun,
    cancel,
    commands_of,
    failures,
    kill_workers,
    write_programs,
    writers,
)
from tests.support.keys_together import ON_CLUSTERS, changes, write_data
from tests.support.needs import needs
from tests.whole.test_golden import CONFIGS, GOLDEN

pytestmark = [pytest.mark.flink, pytest.mark.timeout(600)]

SHARDS = 20


@pytest.fixture(scope="module")
def made() -> Path:
    """Job server and class path."""
    needs("java", "mvn")
    return built()


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_programs(tmp_path_factory.mktemp("programs") / "bin")


@pytest.fixture(scope="module")
def cluster(made: Path, programs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCluster]:
    folder = tmp_path_factory.mktemp("cluster")
    with LocalCluster(folder, made) as running:
        yield running
    assert [*commands_of(folder), *commands_of(programs)] == []


class Sample:
    """Images, and the dataset that is made of them in this process.

    Args:
        folder: for all of it.
        images: how many.

    Attributes:
        params: the parameter file.
        output: where the dataset is to be; a dataset names its folder.
        expected: its files.
    """

    def __init__(self, folder: Path, images: int) -> None:
        run_maskmill("sample", folder / "data", f"--images={images}", "--quiet", timeout=300)
        quickstart = (GOLDEN.parent.parent / "configs" / "quickstart.yaml").read_text()
        self.params = folder / "params.yaml"
        self.params.write_text(quickstart.replace("quickstart/data", str(folder / "data")))
        self.output = folder / "out"
        run_create(self.params, self.output, "--quiet")
        self.expected = tree(self.output)

    def start(self, cluster: LocalCluster, programs: Path) -> FlinkRun:
        return FlinkRun(cluster, programs, self.output, "--params", str(self.params))


@pytest.fixture(scope="module")
def finished_sample(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    return Sample(tmp_path_factory.mktemp("sample"), 600)


@pytest.fixture(scope="module")
def finished_large_sample(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    return Sample(tmp_path_factory.mktemp("large"), 3000)


@pytest.fixture
def sample(finished_sample: Sample) -> Sample:
    """A sample of which nothing has been made yet."""
    shutil.rmtree(finished_sample.output, ignore_errors=True)
    return finished_sample


@pytest.fixture
def large_sample(finished_large_sample: Sample) -> Sample:
    """A sample of which nothing has been made yet, and that takes long enough for something to happen meanwhile."""
    shutil.rmtree(finished_large_sample.output, ignore_errors=True)
    return finished_large_sample


def test_the_golden_configurations_come_out_with_the_same_bytes(
    cluster: LocalCluster, programs: Path, tmp_path: Path
) -> None:
    expected = {}
    runs = {}
    for name in CONFIGS:
        arguments = json.loads((GOLDEN / name / "expected.json").read_text())["input_args"]
        flags = [f"--{key}={value}" for key, value in arguments.items()]
        params = GOLDEN / name / "params.yaml"
        run_create(params, tmp_path / name, *flags, cwd=GOLDEN)
        expected[name] = tree(tmp_path / name)
        shutil.rmtree(tmp_path / name)
        runs[name] = FlinkRun(cluster, programs, tmp_path / name, "--params", str(params), *flags, cwd=GOLDEN)
        # Two at a time: the cluster has slots for two jobs of two tasks.
        if len(runs) == 2:
            runs.pop(next(iter(runs))).end()
    for run in runs.values():
        run.end()
    for name in CONFIGS:
        assert tree(tmp_path / name) == expected[name]


@pytest.mark.parametrize("name", ON_CLUSTERS)
def test_keys_that_change_an_example_come_out_with_the_same_bytes(
    cluster: LocalCluster, programs: Path, tmp_path: Path, name: str
) -> None:
    data, output = write_data(tmp_path / "data"), tmp_path / "out"
    params = write_params(tmp_path / "params.yaml", data, **changes(data, name))
    run_create(params, output, "--num_output_files=2")
    expected = tree(output)
    shutil.rmtree(output)
    FlinkRun(cluster, programs, output, "--params", str(params), "--num_output_files=2").end()
    assert tree(output) == expected


def test_3000_images_come_out_with_the_same_bytes_and_both_task_managers_worked(
    cluster: LocalCluster, programs: Path, large_sample: Sample
) -> None:
    run = large_sample.start(cluster, programs)
    job = run.job()
    assert "the dataset is in" in run.end()
    assert tree(large_sample.output) == large_sample.expected
    assert writers(cluster, job) == {"tm1", "tm2"}


@pytest.mark.parametrize("finished", [1, SHARDS], ids=["while shards are written", "just before publishing"])
def test_a_killed_worker_changes_nothing(cluster: LocalCluster, programs: Path, sample: Sample, finished: int) -> None:
    run = sample.start(cluster, programs)
    run.wait_for_shards(finished)
    kill_workers(cluster, *(("tm1", "tm2") if finished == SHARDS else ("tm1",)))
    run.check_unpublished()
    job = run.job()
    run.end()
    assert failures(cluster, job)
    assert tree(sample.output) == sample.expected


def test_a_killed_task_manager_changes_nothing(cluster: LocalCluster, programs: Path, sample: Sample) -> None:
    run = sample.start(cluster, programs)
    run.wait_for_shards(1)
    cluster.kill("tm2")
    run.check_unpublished()
    job = run.job()
    run.end()
    assert failures(cluster, job)
    assert tree(sample.output) == sample.expected
    assert writers(cluster, job) >= {"tm1"}
    cluster.start("tm3")
    cluster.wait()


def test_a_lost_cluster_leaves_no_process_and_no_dataset_and_the_same_command_takes_up_what_is_finished(
    cluster: LocalCluster, made: Path, programs: Path, sample: Sample, tmp_path: Path
) -> None:
    with LocalCluster(tmp_path / "lost", made) as lost:
        run = sample.start(lost, write_programs(tmp_path / "bin"))
        run.wait_for_shards(2)
        running = "\n".join(commands_of(tmp_path))
        assert "TaskManagerRunner" in running
        assert "maskmill.pipeline.runners.worker" in running
        for name in ("jobmanager", "tm1", "tm2"):
            lost.kill(name)
        said = run.end(status=1)
    assert commands_of(tmp_path) == []
    assert "no Flink cluster answers at" in said
    assert "nothing was published" in said
    assert "Traceback" not in said
    assert not (sample.output / "manifest.json").exists()
    assert not (sample.output / ".lock").exists()
    finished = sample.start(cluster, programs)
    before = finished.wait_for_shards(2)
    finished.end()
    assert tree(sample.output) == sample.expected
    after = {name: (sample.output / name).stat().st_mtime_ns for name in before}
    assert after == before


def test_a_stopped_command_leaves_no_job_behind(cluster: LocalCluster, programs: Path, large_sample: Sample) -> None:
    run = large_sample.start(cluster, programs)
    job = run.job()
    run.wait_for_shards(1)
    run.stop()
    said = run.end(status=128 + signal.SIGTERM)
    assert "stopped: nothing was published" in said
    assert cluster.get(f"jobs/{job}")["state"] == "CANCELED"
    assert not (large_sample.output / "manifest.json").exists()


def test_a_job_that_somebody_cancels_in_flink_is_a_failed_run(
    cluster: LocalCluster, programs: Path, large_sample: Sample
) -> None:
    run = large_sample.start(cluster, programs)
    job = run.job()
    run.wait_for_shards(1)
    cancel(cluster, job)
    said = run.end(status=1)
    assert "CANCELLED" in said
    assert "nothing was published" in said
    assert not (large_sample.output / "manifest.json").exists()


def test_input_that_is_refused_on_the_cluster_is_told_as_it_is_in_process(
    cluster: LocalCluster, programs: Path, tmp_path: Path
) -> None:
    # And by the jar for clusters that know nothing of Beam.
    whole = {"JOB_JAR": "beam-flink-job-server.jar"}
    params = tmp_path / "params.yaml"
    (tmp_path / "data").mkdir()
    shutil.copytree(GOLDEN / "data" / "train_images", tmp_path / "data" / "train_images")
    (tmp_path / "data" / "train.csv").write_text("ImageId,ClassId,EncodedPixels\nnone.jpg,3,1 2\n")
    quickstart = (GOLDEN.parent.parent / "configs" / "quickstart.yaml").read_text()
    params.write_text(quickstart.replace("quickstart/data", str(tmp_path / "data")))
    said = FlinkRun(cluster, programs, tmp_path / "out", "--params", str(params), env=whole).end(status=3)
    assert "there is no file none.jpg" in said
    assert "Traceback" not in said
