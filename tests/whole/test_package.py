"""The package as a cluster gets it: what Beam makes of `--setup_file=./setup.py`, installed elsewhere."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
from pathlib import Path

import pytest
from apache_beam.runners.portability.stager import Stager

from tests.support.command import ROOT

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


def test_the_archive_installs_and_runs_elsewhere(sdist: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "venv", symlinks=True)
    python = tmp_path / "venv" / "bin" / "python"
    # It finds here what a worker's image has or gets: Beam, the other requirements, and setuptools.
    _site_packages(python).joinpath("requirements.pth").write_text(sysconfig.get_path("purelib"))
    offline = ["--no-index", "--no-deps", "--no-build-isolation", "--ignore-installed", "--disable-pip-version-check"]
    _run(sys.executable, "-m", "pip", f"--python={python}", "install", *offline, sdist, cwd=tmp_path)

    shutil.rmtree(sdist.parent.parent / "project")
    code = "import maskmill.pipeline.cli, maskmill.pipeline.create.make_dataset, maskmill.transforms as transforms\n"
    code += "print(maskmill.pipeline.cli.__file__, transforms.__file__, maskmill.__file__)"
    for path in _run(python, "-c", code, cwd=tmp_path).split():
        assert Path(path).is_relative_to(tmp_path / "venv")
    assert "--num_output_files" in _run(python.with_name("maskmill"), "create", "--help", cwd=tmp_path)


def _site_packages(python: Path) -> Path:
    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    return Path(_run(python, "-c", code, cwd=python.parent).strip())


def _run(*command: str | Path, cwd: Path) -> str:
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, capture_output=True, text=True, timeout=200, check=False
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout
