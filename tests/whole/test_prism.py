"""Prism, which speaks the protocol that clusters speak, makes the same dataset."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.builders import write_dataset, write_images, write_params
from tests.support.command import ROOT, run_create, tree
from tests.support.keys_together import ON_CLUSTERS, changes, write_data
from tests.support.needs import needs
from tests.whole.test_golden import CONFIGS, GOLDEN

pytestmark = [pytest.mark.prism, pytest.mark.timeout(1200)]  # of which the building is the greatest part


@pytest.fixture(scope="module")
def prism() -> str:
    """Path of the program."""
    needs("go")
    done = subprocess.run([ROOT / "configs" / "prism" / "install.sh"], stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.strip()


@pytest.mark.parametrize("name", CONFIGS)
def test_the_golden_configurations_come_out_with_the_same_bytes(name: str, prism: str, tmp_path: Path) -> None:
    output = tmp_path / "out"
    arguments = json.loads((GOLDEN / name / "expected.json").read_text())["input_args"]
    flags = [f"--{key}={value}" for key, value in arguments.items()]
    run_create(GOLDEN / name / "params.yaml", output, *flags, cwd=GOLDEN)
    expected = tree(output)
    shutil.rmtree(output)
    on_prism = ["--runner=PrismRunner", f"--prism_location={prism}"]
    run_create(GOLDEN / name / "params.yaml", output, *flags, *on_prism, cwd=GOLDEN)
    assert tree(output) == expected


def check_same_bytes(params: Path, prism: str, folder: Path) -> None:
    """Makes a dataset in this process and on Prism, from the working folder."""
    trees = []
    for options in ([], ["--runner=PrismRunner", f"--prism_location={prism}"]):
        run_create(params, Path("out"), "--num_output_files=4", *options, cwd=folder)
        trees.append(tree(folder / "out"))
        shutil.rmtree(folder / "out")
    assert trees[1] == trees[0]


def test_images_without_labels_come_out_with_the_same_bytes(prism: str, tmp_path: Path) -> None:
    write_images(tmp_path / "data" / "one", [f"{number}.jpg" for number in range(0, 30, 2)])
    write_images(tmp_path / "data" / "two", [f"{number}.jpg" for number in range(1, 30, 2)])
    params = write_params(tmp_path / "params.yaml", Path("data"), maskmill={"csv": None, "images": ["one", "two"]})
    check_same_bytes(params, prism, tmp_path)


@pytest.mark.parametrize("name", ON_CLUSTERS)
def test_keys_that_change_an_example_come_out_with_the_same_bytes(name: str, prism: str, tmp_path: Path) -> None:
    data = write_data(tmp_path / "data")
    params = write_params(tmp_path / "params.yaml", data, **changes(data, name))
    check_same_bytes(params, prism, tmp_path)


def test_prism_and_its_workers_write_nothing(prism: str, tmp_path: Path) -> None:
    data = write_dataset(tmp_path / "data", ["a.jpg,3,1 5", "b.jpg,3,1 5"])
    params = write_params(tmp_path / "params.yaml", data)
    flags = ["--runner=PrismRunner", f"--prism_location={prism}"]
    done = run_create(params, tmp_path / "out", "--quiet", *flags)
    assert (done.stdout, done.stderr) == ("", "")
    done = run_create(params, tmp_path / "debug", "--debug", "--log_format=json", *flags)
    assert "pipeline done!" in " ".join(json.loads(line)["message"] for line in done.stderr.splitlines())
    image = data / "train_images" / "a.jpg"
    image.unlink()
    image.symlink_to("/proc/self/mem")
    said = run_create(params, tmp_path / "failed", *flags, status=1).stderr.splitlines()
    assert "Input/output error [while running 'WriteShards" in said[0]
    assert len(said) == 2
