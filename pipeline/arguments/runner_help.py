"""Lists the options of Beam that the help shows: for each runner and store, the few that matter.

They are written down here because Beam has some 180 of them, and takes a second to import.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping

STORES = "object stores (gs:// and s3:// paths)"
RUNNERS: Mapping[str, Mapping[str, str]] = {
    "in this process (default)": {
        "--direct_num_workers=N": "workers, each with all steps (default: 1; 0 is one a core)",
        "--direct_running_mode=MODE": "what they are: multi_threading or multi_processing",
    },
    "Flink (--runner=FlinkRunner)": {
        "--flink_master=HOST:PORT": "REST address of the cluster; without it, one is started for the run",
        "--parallelism=N": "how many parts of a step run at a time",
        "--environment_type=KIND": "how workers start: DOCKER (the default), PROCESS or EXTERNAL",
        "--environment_config=X": "the container image, the command as JSON, or the address of the worker pool",
        "--flink_job_server_jar=FILE": "job server to use; without it, Beam downloads the one that fits",
        "--flink_submit_uber_jar": "submit a jar that holds the job, and start no job server",
    },
    "Dataflow (--runner=DataflowRunner)": {
        "--project=ID": "the project that pays",
        "--region=NAME": "where the workers run",
        "--temp_location=gs://...": "folder for staged and temporary files",
        "--setup_file=./setup.py": "have the workers install maskmill from this folder",
        "--sdk_container_image=IMAGE": "or have them run an image that holds it: see configs/dataflow",
        "--worker_machine_type=TYPE": "machine of a worker, such as n2-standard-4",
        "--max_num_workers=N": "upper bound on workers",
        "--number_of_worker_harness_threads=N": "shards that a process writes at a time; 2 is enough",
        "--template_location=gs://...": "only write the job there, and run nothing",
        "--dry_run=True": "only translate the job, and submit nothing",
    },
    "Prism (--runner=PrismRunner)": {
        "--prism_location=FILE": "the program, or where to download it; without it, from Beam's release",
        "--prism_log_level=LEVEL": "debug, info, warn or error",
    },
    STORES: {
        "--s3_endpoint_url=URL": "a store that speaks S3, other than Amazon's",
        "--s3_region_name=NAME": "its region; keys are best left to AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
        "--impersonate_service_account=NAME": "who to be towards Google, other than the user of gcloud",
    },
}


# Options of any runner that `maskmill plan` counts workers by.
_WORKERS = ("--direct_num_workers", "--parallelism", "--max_num_workers")


def add_runner_help(parser: argparse.ArgumentParser) -> None:
    """Adds a section for each runner to the help; Beam itself reads the options."""
    for title, options in RUNNERS.items():
        _add_section(parser, title, options)


def add_plan_help(parser: argparse.ArgumentParser) -> None:
    """Adds sections for the few options of Beam that have an effect on a plan."""
    everything = {option: text for options in RUNNERS.values() for option, text in options.items()}
    workers = {option: text for option, text in everything.items() if option.split("=")[0] in _WORKERS}
    _add_section(parser, "workers of the runner, to compare with the number of shards", workers)
    _add_section(parser, STORES, RUNNERS[STORES])


def _add_section(parser: argparse.ArgumentParser, title: str, options: Mapping[str, str]) -> None:
    """Adds options that the parser shows, but does not read."""
    group = parser.add_argument_group(title)
    for option, text in options.items():
        name, _, value = option.partition("=")
        action = argparse.Action([name], dest="", nargs=None if value else 0, metavar=value or None, help=text)
        group._group_actions.append(action)
