"""A run within IPython, as in a notebook: Beam behaves differently there, and imports its support for data frames."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from maskmill.pipeline.cli import main
from maskmill.pipeline.create.make_dataset import PROCESSES_FROM_CSV_BYTES
from tests.support.builders import HEIGHT, WIDTH, write_dataset, write_params
from tests.support.command import create, digest, manifest

CALL = "from maskmill.pipeline.cli import main; print('exit status', main({arguments!r}))"
# Enough text for a run that starts processes.
RUNS = " ".join(f"{start} 1" for start in range(1, HEIGHT * WIDTH, 2))
ROWS = [f"{index:03}.jpg,3,{RUNS}" for index in range(PROCESSES_FROM_CSV_BYTES // len(RUNS) + 1)]


def run_ipython(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Runs code in IPython, with an empty profile."""
    return subprocess.run(
        [sys.executable, "-m", "IPython", "--no-banner", "--colors=NoColor", "-c", code],
        cwd=folder,
        env={**os.environ, "IPYTHONDIR": str(folder / "ipython")},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("rows", [ROWS[:8], ROWS], ids=["one process", "several processes"])
@pytest.mark.parametrize("by", ["%run of a script", "a call of main"])
def test_a_run_in_ipython_makes_the_same_dataset(tmp_path: Path, by: str, rows: list[str]) -> None:
    data = write_dataset(tmp_path / "data", rows)
    params = write_params(tmp_path / "params.yaml", data)
    code = CALL.format(arguments=["create", "--params", str(params), "--output_dir", "notebook", "--workers", "2"])
    if by == "%run of a script":
        (tmp_path / "script.py").write_text(code)
        code = "%run script.py"
    done = run_ipython(code, tmp_path)
    assert re.findall("exit status .*", done.stdout) == ["exit status 0"], done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert manifest(tmp_path / "notebook")["splits"].keys() == {"train_input", "eval_input"}
    assert main(["verify", str(tmp_path / "notebook")]) == 0
    assert digest(tmp_path / "notebook") == digest(create(tmp_path, data))


def test_every_pandas_that_may_be_installed_suits_beam() -> None:
    """Beam imports pandas within IPython whether or not its extras are installed."""
    ours = _pandas_of("maskmill", extra="")
    for extra in ("dataframe", "interactive"):
        beams = _pandas_of("apache-beam", extra)
        # A specifier says nothing of the versions it allows: the bounds of both are where they begin and end.
        versions = {one.version.removesuffix(".*") for one in (*ours, *beams)}
        versions |= {f"{version}.1" for version in versions} | {"99"}
        allowed = {version for version in versions if version in ours}
        assert allowed, ours
        assert {version for version in allowed if version not in beams} == set()


def _pandas_of(distribution: str, extra: str) -> SpecifierSet:
    requirements = map(Requirement, metadata.requires(distribution) or [])
    [specifier] = [
        one.specifier
        for one in requirements
        if one.name == "pandas" and (one.marker is None or one.marker.evaluate({"extra": extra}))
    ]
    return specifier
