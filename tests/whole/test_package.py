"""The package as a cluster gets it: what Beam makes of `--setup_file=./setup.py`, installed elsewhere."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest
from apache_beam.runners.portability.stager import Stager

import maskmill
from tests.support.builders import write_dataset, write_params
from tests.support.command import ROOT
from tests.support.foreign_modules import write_foreign

OFFLINE = ["--no-index", "--no-deps", "--no-build-isolation", "--disable-pip-version-check"]
FOLDERS = ("maskmill", "pipeline", "transforms")


@pytest.fixture(name="sdist", scope="module")
def build_sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The archive that Beam stages; made of a copy, because the folder of setup.py is written to."""
    folder = tmp_path_factory.mktemp("package")
    project = folder / "project"
    for name in FOLDERS:
        shutil.copytree(ROOT / name, project / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, project)
    (folder / "dist").mkdir()
    return Path(Stager._build_setup_package(str(project / "setup.py"), str(folder / "dist")))


def test_the_archive_holds_every_module_and_what_setup_reads(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        names = {member.split("/", 1)[-1] for member in archive.getnames()}
    files = [file.relative_to(ROOT) for name in FOLDERS for file in (ROOT / name).rglob("*.py")]
    modules = {str(file if file.parts[0] == "maskmill" else Path("maskmill", file)) for file in files}
    assert len(modules) > 100
    assert (
        modules | {"maskmill/py.typed", "maskmill/pipeline/report/page.html", "setup.py", "pyproject.toml", "README.md"}
        <= names
    )


@pytest.fixture(name="wheel", scope="module")
def build_wheel(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, made of the archive."""
    folder = tmp_path_factory.mktemp("wheel")
    _run(sys.executable, "-m", "pip", "wheel", *OFFLINE, f"--wheel-dir={folder}", sdist, cwd=folder)
    return next(folder.glob("maskmill-*.whl"))


def test_only_maskmill_is_installed(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert len(names) > 100
    assert {name.split("/")[0] for name in names} == {"maskmill", f"maskmill-{maskmill.__version__}.dist-info"}


def test_archive_and_wheel_install_the_same(sdist: Path, wheel: Path) -> None:
    with tarfile.open(sdist) as archive:
        inside = {name.split("/", 1)[-1] for name in archive.getnames()}
    with zipfile.ZipFile(wheel) as packed:
        modules = {name for name in packed.namelist() if name.startswith("maskmill/")}
    assert len(modules) > 100
    assert modules == {name for name in inside if name.startswith("maskmill/") and "." in name.rpartition("/")[2]}


@pytest.mark.parametrize("form", ["sdist", "wheel"])
def test_what_is_installed_elsewhere_runs_beside_foreign_modules(
    form: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    venv.create(tmp_path / "venv", symlinks=True)
    python = tmp_path / "venv" / "bin" / "python"
    # It finds here what a worker's image has or gets: Beam, the other requirements, and setuptools.
    _site_packages(python).joinpath("requirements.pth").write_text(sysconfig.get_path("purelib"))
    package = request.getfixturevalue(form)
    _run(
        sys.executable,
        "-m",
        "pip",
        f"--python={python}",
        "install",
        *OFFLINE,
        "--ignore-installed",
        package,
        cwd=tmp_path,
    )

    work = write_foreign(tmp_path / "work", packages=True)
    params = write_params(work / "params.yaml", write_dataset(work / "data", ["a.jpg,3,1 2", "b.jpg,3,1 2"]))
    code = "import maskmill.pipeline.create.make_dataset as one, maskmill.transforms as two, maskmill as three\n"
    for path in _run(python, "-c", code + "print(one.__file__, two.__file__, three.__file__)", cwd=work).split():
        assert Path(path).is_relative_to(tmp_path / "venv")
    for program in ([python.with_name("maskmill")], [python, "-m", "maskmill"]):
        output = work / program[-1].name if isinstance(program[-1], Path) else work / "module"
        _run(*program, "create", f"--params={params}", f"--output_dir={output}", cwd=work)
        assert (output / "manifest.json").exists()
    listed = _run(sys.executable, "-m", "pip", f"--python={python}", "show", "--files", "maskmill", cwd=tmp_path)
    files = [line.strip() for line in listed.partition("Files:")[2].splitlines() if line.strip()]
    scripts = {"../../../bin/maskmill", "../../../bin/maskmill-worker"}
    assert len(files) > 100
    assert {name.split("/")[0] for name in files if name not in scripts} == {
        "maskmill",
        f"maskmill-{maskmill.__version__}.dist-info",
    }


def _site_packages(python: Path) -> Path:
    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    return Path(_run(python, "-c", code, cwd=python.parent).strip())


def _run(*command: str | Path, cwd: Path) -> str:
    # Without PYTHONPATH: what is installed is found, and not this checkout.
    environment = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout
