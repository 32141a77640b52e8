"""The package as a cluster gets it: what Beam makes of `--setup_file=./setup.py`, installed elsewhere."""

from __future__ import annotations

import json
import os
import re
import shlex
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
from maskmill.transforms.kernel import KERNEL
from tests.support.builders import write_dataset, write_params
from tests.support.command import ROOT, create, create_here, digest
from tests.support.foreign_modules import write_foreign

OFFLINE = ["--no-index", "--no-deps", "--no-build-isolation", "--disable-pip-version-check"]
FOLDERS = ("maskmill", "pipeline", "transforms")


@pytest.fixture(name="sdist", scope="module")
def build_sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The archive that Beam stages; made of a copy, because the folder of setup.py is written to."""
    folder = tmp_path_factory.mktemp("package")
    project = folder / "project"
    for name in FOLDERS:
        shutil.copytree(
            ROOT / name, project / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__", "*.so")
        )
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
        modules
        | {"maskmill/py.typed", "maskmill/transforms/_kernel.pyi", "maskmill/pipeline/report/page.html"}
        | {"transforms/kernel.c", "setup.py", "pyproject.toml", "README.md"}
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
    compiled = {f"maskmill/transforms/_kernel{sysconfig.get_config_var('EXT_SUFFIX')}"}
    assert len(modules) > 100
    assert compiled & modules == (compiled if KERNEL is not None else set())
    modules -= compiled
    assert modules == {name for name in inside if name.startswith("maskmill/") and "." in name.rpartition("/")[2]}


@pytest.mark.parametrize("form", ["sdist", "wheel"])
def test_what_is_installed_elsewhere_runs_beside_foreign_modules(
    form: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    python = _new_environment(tmp_path)
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


@pytest.mark.parametrize("compiler", [True, False])
def test_with_a_compiler_or_without_it_installs_and_makes_the_same(sdist: Path, tmp_path: Path, compiler: bool) -> None:
    python = _new_environment(tmp_path)
    install = [sys.executable, "-m", "pip", f"--python={python}", "install", *OFFLINE, "--ignore-installed", sdist]
    _run(*install, cwd=tmp_path, **({} if compiler else {"CC": "false"}))
    code = "from maskmill.transforms.kernel import KERNEL; print(KERNEL is not None)"
    assert _run(python, "-c", code, cwd=tmp_path).strip() == str(compiler and KERNEL is not None)
    data = write_dataset(tmp_path / "data", [f"{name}.jpg,3,{start} 9 99 20" for start, name in enumerate("abcd", 1)])
    params = write_params(tmp_path / "params.yaml", data, image_shape=[16, 11, 1])
    _run(python, "-m", "maskmill", "create", f"--params={params}", f"--output_dir={tmp_path / 'out'}", cwd=tmp_path)
    assert digest(tmp_path / "out") == digest(create(tmp_path, data, output="here", image_shape=[16, 11, 1]))


@pytest.fixture(name="reader", scope="module")
def install_reader(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Python of an environment with maskmill, NumPy and h5py, and nothing else."""
    folder = tmp_path_factory.mktemp("reader")
    venv.create(folder / "venv", symlinks=True)
    python = folder / "venv" / "bin" / "python"
    _link(python, "numpy", "h5py")
    _run(sys.executable, "-m", "pip", f"--python={python}", "install", *OFFLINE, wheel, cwd=folder)
    return python


def _link(python: Path, *packages: str) -> None:
    """Adds packages of this environment to another one."""
    for package in packages:
        for found in Path(sysconfig.get_path("purelib")).glob(f"{package}*"):
            if found.name.partition(".")[0].partition("-")[0] == package:
                _site_packages(python).joinpath(found.name).symlink_to(found)


@pytest.mark.parametrize(
    ("arguments", "needs"),
    [
        ("create --params params.yaml", "apache_beam"),
        ("plan --params params.yaml", "apache_beam"),
        ("preview --params params.yaml", "apache_beam"),
        ("verify out", "apache_beam"),
        ("prune . --keep 1", "apache_beam"),
        ("sample new", "PIL"),
        ("report out", "PIL"),
        ("--print-completion bash", "shtab"),
    ],
)
def test_a_command_for_which_a_reader_lacks_something_says_what_in_a_line(
    reader: Path, tmp_path: Path, arguments: str, needs: str
) -> None:
    for flags in ([], ["--log_format=json"] if arguments.startswith("create") else []):
        done = subprocess.run(
            [reader.with_name("maskmill"), *arguments.split(), *flags],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        assert (done.returncode, done.stdout) == (2, "")
        [line] = done.stderr.splitlines()
        said = json.loads(line)["message"] if flags else line.removeprefix("maskmill: ")
        what, _, command = said.partition("; to install all that is missing: ")
        assert what == f"this needs {needs}, which is not installed: only reading a dataset does without"
        python, *install = shlex.split(command)
        assert Path(python).parent == reader.parent
        assert install[:3] == ["-m", "pip", "install"]
        names = {re.split("[<>=]", one)[0] for one in install[3:]}
        assert {"apache-beam", "Pillow", "tqdm", "shtab"} <= names
        assert not {"numpy", "h5py", "matplotlib"} & names
    assert list(tmp_path.iterdir()) == []


def test_a_reader_reads_and_shows_examples_and_helps(reader: Path, tmp_path: Path) -> None:
    data = write_dataset(tmp_path / "data", ["a.jpg,3,1 2", "b.jpg,3,1 2"])
    params = write_params(tmp_path / "params.yaml", data)
    create_here(params, tmp_path / "out")
    program = reader.with_name("maskmill")
    assert "Beam not installed" in _run(program, "--version", cwd=tmp_path)
    for command in ("", "create", "verify", "report"):
        assert "usage: maskmill" in _run(program, *command.split(), "--help", cwd=tmp_path)
    code = "from maskmill import open_dataset; print(open_dataset('out')[0].image_id)"
    assert _run(reader, "-c", code, cwd=tmp_path) == "a.jpg\n"
    done = subprocess.run([program, "show", "out"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert re.fullmatch(r"maskmill: drawing an example needs Pillow: \S+ -m pip install Pillow\n", done.stderr)
    _link(reader, "PIL", "pillow")
    _run(program, "show", "out", cwd=tmp_path)
    assert (tmp_path / "train_input-0.png").exists()


def _new_environment(folder: Path) -> Path:
    """Python of an environment that finds here what a worker's image has or gets: Beam, the rest, and setuptools."""
    venv.create(folder / "venv", symlinks=True)
    python = folder / "venv" / "bin" / "python"
    _site_packages(python).joinpath("requirements.pth").write_text(sysconfig.get_path("purelib"))
    return python


def _site_packages(python: Path) -> Path:
    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    return Path(_run(python, "-c", code, cwd=python.parent).strip())


def _run(*command: str | Path, cwd: Path, **variables: str) -> str:
    # Without PYTHONPATH: what is installed is found, and not this checkout.
    environment = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"} | variables
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
