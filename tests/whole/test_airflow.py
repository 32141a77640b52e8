"""The DAG of Airflow, loaded and run, in an environment that has Airflow and maskmill."""

from __future__ import annotations

import io
import json
import os
import runpy
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from maskmill.pipeline.dataset.latest import read_latest
from maskmill.pipeline.runners.beam_options import find_unknown
from maskmill.pipeline.runners.dataflow import announce
from tests.support.builders import write_dataset
from tests.support.command import ROOT, write_params
from tests.support.needs import needs_package

pytestmark = pytest.mark.airflow


@pytest.fixture(name="environment")
def make_environment(tmp_path: Path) -> dict[str, str]:
    """A home of Airflow with a database, and the DAG."""
    needs_package("airflow", "airflow")
    (tmp_path / "dags").mkdir()
    shutil.copy(ROOT / "configs" / "schedule" / "airflow_dag.py", tmp_path / "dags")
    environment = {
        **os.environ,
        "AIRFLOW_HOME": str(tmp_path / "airflow"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(tmp_path / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "PYTHONPATH": str(ROOT),
    }
    airflow(environment, "db", "migrate")
    return environment


def airflow(environment: dict[str, str], *arguments: str) -> str:
    """Runs the command of Airflow; gives what it says."""
    done = subprocess.run(
        [sys.executable, "-m", "airflow", *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.mark.timeout(900)
def test_the_dag_makes_a_dataset_a_day_of_the_shards_of_the_day_before(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    data = write_dataset(tmp_path / "data", [f"{index}.jpg,3,{index + 1} 2" for index in range(6)])
    days = tmp_path / "days"
    params = write_params(tmp_path / "params.yaml", data)
    conf = {"params": str(params), "folder": str(days), "keep": 1, "options": {"num_output_files": 2}}
    for day in ("2026-11-22", "2026-11-23"):
        said = airflow(environment, "dags", "test", "maskmill", day, "--conf", json.dumps(conf))
        assert "state=failed" not in said, said
        assert read_latest(str(days)) == day, said
    assert sorted(path.name for path in days.iterdir()) == ["2026-11-23", "latest.json"]
    [run] = [json.loads(line) for line in (days / "2026-11-23" / "history.jsonl").read_text().splitlines()]
    assert run["shards"]["train_input"] == {"written": 0, "kept": 0, "reused": 2}


def test_the_dag_loads_without_an_error(environment: dict[str, str]) -> None:
    assert "No data found" in airflow(environment, "dags", "list-import-errors", "--local")


def test_the_operator_starts_create_on_dataflow_and_waits_for_the_job_that_it_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    needs_package("airflow", "airflow")
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path))  # importing it makes a home
    monkeypatch.setenv("AIRFLOW_CONN_GOOGLE_CLOUD_DEFAULT", "google-cloud-platform://")
    from airflow.providers.apache.beam.hooks import beam
    from airflow.providers.google.cloud.hooks.dataflow import DataflowHook
    from airflow.providers.google.cloud.links.dataflow import DataflowJobLink

    commands, waits = [], []

    def start(cmd: list[str], process_line_callback: Callable[[str], None], **_: object) -> None:
        commands.append(cmd)
        out = io.StringIO()
        announce(SimpleNamespace(has_job=True, job_id=lambda: "2026-01-02_03_04_05-6789"), out)  # type: ignore[arg-type]
        process_line_callback(out.getvalue())

    monkeypatch.setattr(beam, "run_beam_command", start)
    monkeypatch.setattr(DataflowHook, "wait_for_done", lambda _, **job: waits.append(job))
    monkeypatch.setattr(DataflowJobLink, "persist", lambda **_: None)
    create = runpy.run_path(str(ROOT / "configs" / "schedule" / "airflow_dag.py"))["create"]
    create.runner = "DataflowRunner"
    create.pipeline_options = {"params": "gs://bucket/params.yaml", "output_dir": "gs://bucket/days/1"}
    create.dataflow_config = {"job_name": "maskmill", "project_id": "p", "location": "r"}
    create.execute({"ti": SimpleNamespace(xcom_push=lambda **_: None)})

    assert [(job["job_id"], job["project_id"], job["location"]) for job in waits] == [
        ("2026-01-02_03_04_05-6789", "p", "r")
    ]
    [[_, *module, subcommand, runner, job_name, project, region, labels, params, output_dir]] = commands
    assert [*module, subcommand] == ["-m", "maskmill", "create"]
    assert [runner, project, region] == ["--runner=DataflowRunner", "--project=p", "--region=r"]
    assert [params, output_dir] == ["--params=gs://bucket/params.yaml", "--output_dir=gs://bucket/days/1"]
    assert find_unknown([runner, job_name, project, region, labels])[0] == []
