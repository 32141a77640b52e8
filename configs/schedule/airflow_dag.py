"""A dataset a day with Airflow 3: made with the unchanged shards of the day before, verified, old ones removed.

Put this file and create.py into the folder of DAGs. The paths are parameters of the DAG; two variables of the
environment say where programs are:

    STEELBEAM_PYTHON  Python of the environment in which steelbeam is installed (default: Airflow's own)
    STEELBEAM_RUNNER  runner of Beam (default: the in-process one)

A task that failed may run again: it takes up what is finished.
"""

import datetime
import os
import sys
from pathlib import Path

from airflow.providers.apache.beam.operators.beam import BeamRunPythonPipelineOperator
from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

PYTHON = os.environ.get("STEELBEAM_PYTHON", sys.executable)
DAY = "{{ dag_run.run_after | ds }}"
ENVIRONMENT = {
    "PYTHON": PYTHON,
    "FOLDER": "{{ params.folder }}",
    "KEEP": "{{ params.keep }}",
    "DAY": DAY,
}

with DAG(
    "steelbeam",
    description=__doc__.splitlines()[0],
    schedule="0 3 * * *",
    start_date=datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 2, "retry_delay": datetime.timedelta(minutes=5)},
    params={"params": "/etc/steelbeam/params.yaml", "folder": "/var/lib/steelbeam", "keep": 7, "max_rejected": "0"},
) as dag:
    create = BeamRunPythonPipelineOperator(
        task_id="create",
        py_file=str(Path(__file__).with_name("create.py")),
        py_interpreter=PYTHON,
        runner=os.environ.get("STEELBEAM_RUNNER", "FnApiRunner"),
        pipeline_options={
            "params": "{{ params.params }}",
            "output_dir": "{{ params.folder }}/" + DAY,
            "reuse": "{{ params.folder }}",
            "max_rejected": "{{ params.max_rejected }}",
        },
    )
    verify = BashOperator(
        task_id="verify",
        bash_command='"$PYTHON" -m pipeline verify --quiet "$FOLDER/$DAY"',
        env=ENVIRONMENT,
        append_env=True,
    )
    prune = BashOperator(
        task_id="prune",
        bash_command='"$PYTHON" -m pipeline prune --keep "$KEEP" "$FOLDER"',
        env=ENVIRONMENT,
        append_env=True,
    )
    create >> verify >> prune
