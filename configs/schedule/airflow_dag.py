"""A dataset a day with Airflow 3: made with the unchanged shards of the day before, verified, old ones removed.

Put this file into the folder of DAGs. Paths and limits are parameters of the DAG; the variable STEELBEAM_PYTHON of the
environment names the Python of the environment in which steelbeam is installed (default: Airflow's own).

The tasks call the program, which needs nothing of Airflow's: the operator of the Beam provider starts a file of Python
without a subcommand, and cannot be made without the provider of Google, whatever the runner. A task that failed may run
again: it takes up what is finished.
"""

import datetime
import os
import sys

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

# Values reach the shell by variables: nothing in them is taken for a command.
ENVIRONMENT = {
    "PYTHON": os.environ.get("STEELBEAM_PYTHON", sys.executable),
    "PARAMS": "{{ params.params }}",
    "FOLDER": "{{ params.folder }}",
    "DAY": "{{ params.folder }}/{{ (dag_run.logical_date or dag_run.run_after) | ds }}",
    "KEEP": "{{ params.keep }}",
    "MAX_REJECTED": "{{ params.max_rejected }}",
    "RUNNER": "{{ params.runner }}",
}


def steelbeam(command: str, arguments: str) -> BashOperator:
    """A task that runs a command of steelbeam.

    Args:
        command: also the name of the task.
        arguments: for the shell.
    """
    return BashOperator(
        task_id=command,
        bash_command=f'exec "$PYTHON" -m pipeline {command} {arguments}',
        env=ENVIRONMENT,
        append_env=True,
    )


with DAG(
    "steelbeam",
    description=__doc__.splitlines()[0],
    schedule="0 3 * * *",
    start_date=datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 2, "retry_delay": datetime.timedelta(minutes=5)},
    params={
        "params": "/etc/steelbeam/params.yaml",
        "folder": "/var/lib/steelbeam",
        "keep": 7,
        "max_rejected": "0",
        "runner": "FnApiRunner",
    },
) as dag:
    create = steelbeam(
        "create",
        '--params "$PARAMS" --output_dir "$DAY" --reuse "$FOLDER" --max_rejected "$MAX_REJECTED" --runner="$RUNNER"',
    )
    verify = steelbeam("verify", '--quiet "$DAY"')
    prune = steelbeam("prune", '--keep "$KEEP" "$FOLDER"')
    _ = create >> verify >> prune
