"""Long steps of the Makefile and of the scripts beside it say what they do, and leave standard output to results."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tests.support.command import ROOT

MVN = "#!/bin/sh\nmkdir -p target lib\ntouch target/beam-flink-job.jar target/beam-flink-job-server.jar\n"
GO = '#!/bin/sh\necho "go: downloading something" >&2\ntouch "$GOBIN/prism"\nchmod +x "$GOBIN/prism"\n'


def run_script(script: str, tmp_path: Path, **programs: str) -> subprocess.CompletedProcess[str]:
    """Runs a script with these programs first on the path."""
    folder = tmp_path / "bin"
    folder.mkdir(exist_ok=True)
    for name, text in programs.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    variables = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}", "MASKMILL_CACHE": str(tmp_path / "cache")}
    return subprocess.run([ROOT / script], env=variables, capture_output=True, text=True, check=True, timeout=60)


def test_prism_is_built_with_a_message_and_only_its_path_is_the_output(tmp_path: Path) -> None:
    done = run_script("configs/prism/install.sh", tmp_path, go=GO)
    assert done.stderr.startswith("building Prism v2.77.0 with Go (a few minutes) ...\n")
    assert Path(done.stdout.removesuffix("\n")).name == "prism"
    again = run_script("configs/prism/install.sh", tmp_path, go="#!/bin/sh\nexit 1\n")
    assert (again.stdout, again.stderr) == (done.stdout, "")


def test_the_job_server_is_built_with_a_message_and_only_its_folder_is_the_output(tmp_path: Path) -> None:
    done = run_script("configs/flink/build.sh", tmp_path, mvn=MVN, java="#!/bin/sh\n")
    assert done.stderr == "building the job server for Flink with Maven, which fetches its parts (a few minutes) ...\n"
    assert (Path(done.stdout.removesuffix("\n")) / "beam-flink-job-server.jar").exists()
    again = run_script("configs/flink/build.sh", tmp_path, mvn="#!/bin/sh\nexit 1\n")
    assert (again.stdout, again.stderr) == (done.stdout, "")


def test_make_says_what_it_installs_before_it_does(tmp_path: Path) -> None:
    (tmp_path / "Makefile").write_text((ROOT / "Makefile").read_text())
    (tmp_path / "transforms").mkdir()
    for name in ("setup.py", "transforms/kernel.c"):
        (tmp_path / name).touch()
    # A make that runs the tests hands its variables on, such as another folder for the environment.
    variables = {
        name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKEOVERRIDES", "VENV")
    }
    said = subprocess.run(
        ["make", "--dry-run", "quickstart"],
        cwd=tmp_path,
        env=variables,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout.splitlines()
    message = 'echo "installing maskmill[report] and what it needs into .venv (a minute or more) ..."'
    assert "pip install" in said[said.index(message) + 1]
    assert said.index('echo "making the virtual environment .venv ..."') < said.index(message)
