"""The DAG of Airflow, loaded and run, in an environment that has Airflow and steelbeam."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.latest import read_latest
from tests.builders import write_dataset
from tests.command import ROOT, write_params

pytestmark = pytest.mark.airflow


@pytest.fixture(name="environment")
def make_environment(tmp_path: Path) -> dict[str, str]:
    """A home of Airflow with a database, and the DAG."""
    if importlib.util.find_spec("airflow") is None:
        reason = "Airflow is not installed; run make test-airflow"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
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
    conf = {"params": str(write_params(tmp_path / "params.yaml", data)), "folder": str(days), "keep": 1}
    for day in ("2026-11-22", "2026-11-23"):
        said = airflow(environment, "dags", "test", "steelbeam", day, "--conf", json.dumps(conf))
        assert "state=failed" not in said, said
        assert read_latest(str(days)) == day, said
    assert sorted(path.name for path in days.iterdir()) == ["2026-11-23", "latest.json"]
    [run] = [json.loads(line) for line in (days / "2026-11-23" / "history.jsonl").read_text().splitlines()]
    assert run["shards"]["train_input"]["written"] == 0


def test_the_dag_loads_without_an_error(environment: dict[str, str]) -> None:
    assert "No data found" in airflow(environment, "dags", "list-import-errors", "--local")
