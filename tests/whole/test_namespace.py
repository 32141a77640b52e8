"""Other people's modules called pipeline or transforms change nothing, and stay importable beside maskmill."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.support.builders import HEADER, write_dataset, write_params
from tests.support.command import ROOT, manifest
from tests.support.foreign_modules import write_foreign

BIN = Path(sys.executable).parent
PROGRAMS = {"command": [str(BIN / "maskmill")], "module": [sys.executable, "-m", "maskmill"]}


@pytest.fixture(name="foreign", params=[False, True], ids=["modules", "packages"])
def make_foreign(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A working folder with foreign modules."""
    return write_foreign(tmp_path / "work", packages=request.param)


def run(command: list[str], folder: Path, status: int = 0) -> subprocess.CompletedProcess[str]:
    """Runs a command in a folder that is also on PYTHONPATH; maskmill is found as it is installed."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)])}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == status, f"{done.stdout}\n{done.stderr}"
    return done


def write_input(folder: Path, *, for_processes: bool = False) -> Path:
    """A small dataset; its CSV is large enough for a pool of processes if asked for, by rows of another class."""
    rows = [f"{name}.jpg,3,{start} 2" for start, name in enumerate("abcd", 1)]
    data = write_dataset(folder / "data", rows)
    if for_processes:
        others = ["a.jpg,1,1 2"] * (2**18 // len("a.jpg,1,1 2"))
        (data / "train.csv").write_text("\n".join([HEADER, *rows, *others, ""]))
    return write_params(folder / "params.yaml", data)


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_foreign_modules_change_nothing_for_the_program(tmp_path: Path, foreign: Path, program: list[str]) -> None:
    params = write_input(tmp_path)
    run([*program, "create", f"--params={params}", "--output_dir=out"], foreign)
    assert manifest(foreign / "out")["splits"]["train_input"]["examples"] == 2


def test_foreign_modules_change_nothing_for_the_pool_of_processes(tmp_path: Path, foreign: Path) -> None:
    params = write_input(tmp_path, for_processes=True)
    arguments = [f"--params={params}", "--output_dir=out", "--workers=2", "--num_output_files=4"]
    code = textwrap.dedent(f"""
        from maskmill.pipeline.cli import main
        from maskmill.transforms.parallel import process_pool

        status = main({["create", *arguments, "--quiet"]!r})
        assert process_pool._pools, "no pool was used"
        raise SystemExit(status)
    """)
    run([sys.executable, "-c", code], foreign)
    assert manifest(foreign / "out")["splits"]["train_input"]["examples"] == 2


def test_foreign_modules_change_nothing_for_the_workers_of_beam(tmp_path: Path, foreign: Path) -> None:
    params = write_input(tmp_path)
    workers = ["--direct_running_mode=multi_processing", "--direct_num_workers=2"]
    run([*PROGRAMS["module"], "create", f"--params={params}", "--output_dir=out", *workers], foreign)
    assert manifest(foreign / "out")["splits"]["train_input"]["examples"] == 2


def test_foreign_modules_change_nothing_for_the_worker_program(foreign: Path) -> None:
    said = run([str(BIN / "maskmill-worker"), "--id=1-1", "--provision_endpoint=localhost:1"], foreign, status=1)
    assert "maskmill-worker: no runner answers at localhost:1" in said.stderr


def test_a_script_imports_its_own_transforms_although_maskmill_is_installed(tmp_path: Path) -> None:
    (tmp_path / "transforms.py").write_text("OWN = 'mine'\n")
    (tmp_path / "pipeline").mkdir()
    (tmp_path / "pipeline" / "steps.py").write_text("OWN = 'mine, too'\n")
    (tmp_path / "script.py").write_text(
        "import maskmill.pipeline.cli, maskmill.transforms, json, transforms, pipeline.steps\n"
        "print(json.dumps([transforms.OWN, pipeline.steps.OWN]))\n"
    )
    # Not with the checkout on PYTHONPATH, which has folders of these names.
    done = subprocess.run(
        [sys.executable, "script.py"], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == ["mine", "mine, too"]


def test_a_script_without_a_main_guard_runs_once(tmp_path: Path) -> None:
    params = write_input(tmp_path, for_processes=True)
    (tmp_path / "script.py").write_text(
        textwrap.dedent(f"""
            with open("ran", "a") as file:
                file.write("x")
            from maskmill.pipeline.cli import main
            from maskmill.transforms.parallel import process_pool

            assert main(["create", "--params={params}", "--output_dir=out", "--workers=2", "--quiet"]) == 0
            assert process_pool._pools, "no pool was used"
        """)
    )
    done = run([sys.executable, "script.py"], tmp_path)
    assert (tmp_path / "ran").read_text() == "x"
    assert done.stderr == ""
    assert manifest(tmp_path / "out")["splits"]["train_input"]["examples"] == 2


def test_nothing_imports_the_folders_by_their_own_names() -> None:
    folders = ("maskmill", "pipeline", "transforms", "configs", "docs")
    files = [path for name in folders for path in (ROOT / name).rglob("*.py")]
    assert len(files) > 150
    by_own_name = re.compile(r"\s*(import|from) (pipeline|transforms)\b")
    lines = [(path, line) for path in files for line in path.read_text().splitlines()]
    assert [(path, line) for path, line in lines if by_own_name.match(line)] == []


@pytest.mark.parametrize(
    ("files", "above"),
    [
        (sorted((ROOT / "transforms").rglob("*.py")), r"maskmill\.pipeline"),
        # Not the links to the other floors; __main__.py is the program.
        (
            sorted({*(ROOT / "maskmill").glob("*.py")} - {ROOT / "maskmill" / "__main__.py"}),
            r"maskmill\.(pipeline|transforms)|apache_beam",
        ),
    ],
    ids=["transforms", "maskmill"],
)
def test_no_floor_imports_from_above(files: list[Path], above: str) -> None:
    assert len(files) > 15
    upward = re.compile(rf"\s*(import|from) ({above})\b")
    lines = [(path, line) for path in files for line in path.read_text().splitlines()]
    # The public names of the upper floors are imported on first use; only a checker of types imports them before.
    public = [one for one in lines if one[0] == ROOT / "maskmill" / "__init__.py" and one[1].startswith("    from ")]
    lines = [one for one in lines if one not in public]
    assert [(path, line) for path, line in lines if upward.match(line)] == []
