"""The files of `configs/schedule`, as far as they can be tried without a scheduler."""

from __future__ import annotations

import datetime
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from maskmill.pipeline.dataset.latest import read_latest
from maskmill.pipeline.errors import MaskmillError
from tests.support.builders import write_dataset, write_params
from tests.support.command import ROOT

SCHEDULE = ROOT / "configs" / "schedule"
SCHEDULER = {"PROJECT": "p", "REGION": "r", "BUCKET": "b", "IMAGE": "i", "ACCOUNT": "a@b"}


def write_program(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


def run_script(script: Path, folder: Path, *arguments: str | Path, status: int = 0, **variables: str) -> str:
    """Runs a script that finds its programs in a folder first; gives what it says."""
    environment = {**os.environ, **variables, "PATH": f"{folder}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [script, *map(str, arguments)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == status, done.stdout
    return done.stdout


@pytest.mark.slow
def test_the_script_makes_the_dataset_of_the_day_and_removes_old_ones(tmp_path: Path) -> None:
    write_program(tmp_path / "bin" / "maskmill", f'#!/bin/sh\nexec {sys.executable} -m maskmill "$@"\n')
    data = write_dataset(tmp_path / "data", [f"{index}.jpg,3,{index + 1} 2" for index in range(4)])
    params, days = write_params(tmp_path / "params.yaml", data), tmp_path / "days"
    run_script(SCHEDULE / "daily.sh", tmp_path / "bin", params, days, "--num_output_files=1")
    today = datetime.date.today().isoformat()
    assert read_latest(str(days)) == today
    (days / today).rename(days / "2020-01-01")
    (days / "latest.json").write_text('{"dataset": "2020-01-01"}')
    said = run_script(SCHEDULE / "daily.sh", tmp_path / "bin", params, days, "--num_output_files=1", KEEP="1")
    assert "1 shard copied from an earlier dataset" in said
    assert "2020-01-01 is removed" in said
    assert read_latest(str(days)) == today


def test_the_script_stops_at_the_first_failure_and_hands_its_status_on(tmp_path: Path) -> None:
    write_program(tmp_path / "bin" / "maskmill", '#!/bin/sh\necho "$1"\n[ "$1" != verify ] || exit 4\n')
    assert run_script(SCHEDULE / "daily.sh", tmp_path / "bin", "p", tmp_path, status=4) == "create\nverify\n"


def test_the_script_makes_up_for_a_night_that_has_removed_nothing(tmp_path: Path) -> None:
    write_program(tmp_path / "bin" / "maskmill", '#!/bin/sh\necho "$1"\n[ "$1" != prune ] || exit 1\n')
    for day, said in (("1", "create\nverify\nprune\n"), ("2", "prune\ncreate\nverify\nprune\n")):
        (tmp_path / "days" / day).mkdir(parents=True)
        (tmp_path / "days" / day / "manifest.json").touch()
        assert run_script(SCHEDULE / "daily.sh", tmp_path / "bin", "p", tmp_path / "days", status=1, KEEP="1") == said


def test_no_status_that_only_other_input_would_change_has_systemd_try_again() -> None:
    unit = (SCHEDULE / "maskmill.service").read_text()
    [statuses] = re.findall(r"^RestartPreventExitStatus=(.*)$", unit, re.MULTILINE)
    assert {error.exit_status for error in MaskmillError.__subclasses__()} - {1} <= {*map(int, statuses.split())}


def test_systemd_takes_the_units(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        reason = "systemd-analyze is not installed"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    for name in ("maskmill.service", "maskmill.timer"):
        text = (SCHEDULE / name).read_text().replace("/opt/maskmill", str(tmp_path / "opt"))
        (tmp_path / name).write_text(text)
    write_program(tmp_path / "opt" / "daily.sh", "#!/bin/sh\n")
    done = subprocess.run(
        ["systemd-analyze", "verify", tmp_path / "maskmill.service", tmp_path / "maskmill.timer"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert str(tmp_path) not in done.stderr
    assert "maskmill" not in done.stderr


def test_cloud_scheduler_is_asked_to_launch_the_template(tmp_path: Path) -> None:
    write_program(tmp_path / "bin" / "gcloud", '#!/bin/sh\nprintf "%s\\0" "$@"\n')
    said = run_script(SCHEDULE / "cloud_scheduler.sh", tmp_path / "bin", **SCHEDULER)
    options = dict(re.findall(r"--([a-z-]+)=([^\0]*)", said))
    assert options["uri"].endswith("/v1b3/projects/p/locations/r/flexTemplates:launch")
    launch = json.loads(options["message-body"])["launchParameter"]
    assert launch["containerSpecGcsPath"] == "gs://b/maskmill.json"
    assert launch["parameters"]["output_dir"] == "gs://b/hdf5"
    # Else the workers are of Beam's own image, which does not hold this package.
    assert launch["parameters"]["sdk_container_image"] == "i"


@pytest.mark.parametrize("name", SCHEDULER)
def test_cloud_scheduler_is_not_asked_where_something_is_not_given(tmp_path: Path, name: str) -> None:
    write_program(tmp_path / "bin" / "gcloud", "#!/bin/sh\necho asked\n")
    given = {key: value for key, value in SCHEDULER.items() if key != name}
    said = run_script(SCHEDULE / "cloud_scheduler.sh", tmp_path / "bin", status=2, **given)
    assert name in said
    assert "asked" not in said
