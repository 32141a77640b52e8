"""Makes a dataset a day with Airflow 3: reuses the unchanged shards of the day before, verifies, removes old datasets.

Put this file into the folder of DAGs. Paths and limits are parameters of the DAG. The environment variable
MASKMILL_PYTHON names the Python interpreter that maskmill is installed for (default: Airflow's own). Airflow needs its
providers apache-beam, google and standard: the operator for Beam requires Google's, whatever the runner. A failed task
may run again: it resumes from the finished shards.
"""

import datetime
import os
import sys
from collections.abc import Mapping
from typing import Any

from airflow.providers.apache.beam.operators.beam import BeamRunPythonPipelineOperator
from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

PYTHON = os.environ.get("MASKMILL_PYTHON", sys.executable)
DAY = "{{ params.folder }}/{{ (dag_run.logical_date or dag_run.run_after) | ds }}"


def options(context: Mapping[str, Any], jinja_env: Any) -> dict[str, Any]:
    """Returns the options of `create` for the parameters of a run: maskmill's own, and those of the runner."""
    params = context["params"]
    return {
        "params": params["params"],
        "output_dir": jinja_env.from_string(DAY).render(context),
        "reuse": params["folder"],
        "max_rejected": params["max_rejected"],
        **params["options"],
    }


def dataflow_config(context: Mapping[str, Any], jinja_env: Any) -> dict[str, Any]:
    """Says where the operator finds the job on Dataflow; other runners ignore this."""
    return {"job_name": "maskmill", **context["params"]["dataflow"]}


def maskmill(command: str, arguments: str) -> BashOperator:
    """Makes a task that runs a command of maskmill that is not a pipeline.

    Args:
        command: name of the command, and of the task.
        arguments: of the command, in shell syntax.
    """
    return BashOperator(
        task_id=command,
        bash_command=f'exec "$PYTHON" -m maskmill {command} {arguments}',
        # Values reach the shell as variables, so that nothing in them can run as a command.
        env={"PYTHON": PYTHON, "DAY": DAY, "FOLDER": "{{ params.folder }}", "KEEP": "{{ params.keep }}"},
        append_env=True,
    )


with DAG(
    "maskmill",
    description=__doc__.splitlines()[0],
    schedule="0 3 * * *",
    start_date=datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 2, "retry_delay": datetime.timedelta(minutes=5)},
    params={
        "params": "/etc/maskmill/params.yaml",
        "folder": "/var/lib/maskmill",
        "keep": 7,
        "max_rejected": "0",
        "runner": "FnApiRunner",
        "options": {},
        "dataflow": {},
    },
) as dag:
    create = BeamRunPythonPipelineOperator(
        task_id="create",
        runner="{{ params.runner }}",
        # The operator runs `PYTHON -m maskmill create --runner=…`: a module works like a file.
        py_interpreter=PYTHON,
        py_options=["-m", "maskmill"],
        py_file="create",
        pipeline_options=options,
        dataflow_config=dataflow_config,
    )
    verify = maskmill("verify", '--quiet "$DAY"')
    prune = maskmill("prune", '--keep "$KEEP" "$FOLDER"')
    _ = create >> verify >> prune
