"""`--min_examples` and `--max_change`: beyond them a run publishes nothing, and says how the dataset would differ."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.builders import HEADER, write_dataset, write_params
from tests.support.command import create_here, manifest, run_here, tree
from tests.support.snapshot import Snapshot

ROWS = [f"{index:02}.jpg,3,{1 + index} 2" for index in range(16)]
FLAGS = ("--num_output_files=2",)


@pytest.fixture(name="made", scope="module")
def make_once(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    folder = tmp_path_factory.mktemp("gates")
    write_dataset(folder / "data", ROWS)
    create_here(write_params(folder / "params.yaml", folder / "data"), folder / "days" / "1", *FLAGS)
    return Snapshot(folder)


@pytest.fixture(name="folder")
def restore_folder(made: Snapshot) -> Path:
    return made.restore()


def cut_csv(folder: Path, rows: int) -> None:
    (folder / "data" / "train.csv").write_text("\n".join([HEADER, *ROWS[:rows], ""]))


@pytest.mark.parametrize("day", ["1", "2"], ids=["the dataset itself", "the dataset of the day before"])
def test_a_dataset_that_lost_half_of_its_examples_is_not_published(folder: Path, day: str) -> None:
    cut_csv(folder, 8)
    before = tree(folder / "days" / "1")
    flags = (*FLAGS, "--reuse", str(folder / "days" / "1"), "--max_change", "20%")
    params, output = folder / "params.yaml", folder / "days" / day
    planned = run_here("plan", "--params", params, "--output_dir", output, *flags)
    problem = "8 examples after 16 (-50.0%), and at most 20% are allowed (--max_change)"
    assert f"warning: {problem}: nothing would be published" in planned.out
    said = create_here(params, output, *flags, status=5)
    assert said.err.splitlines()[-3:] == [
        f"maskmill: {problem}",
        "compared with the previous dataset: 8 examples removed",
        "nothing is published; look at the CSV and the image folder, which may be incomplete; if they are right, "
        "run the command once with other limits",
    ]
    assert said.out == ""
    left = {name: text for name, text in tree(folder / "days" / "1").items() if not name.startswith(".staging")}
    assert left == before
    assert not (folder / "days" / "2" / "manifest.json").exists()
    create_here(params, output, *FLAGS)
    assert sum(split["examples"] for split in manifest(output)["splits"].values()) == 8


def test_too_few_examples_are_refused_also_where_nothing_has_changed(folder: Path) -> None:
    params, output = folder / "params.yaml", folder / "days" / "1"
    create_here(params, output, *FLAGS, "--min_examples=16")
    said = create_here(params, output, *FLAGS, "--min_examples=17", status=5)
    assert "16 examples, and at least 17 are required (--min_examples)" in said.err
    assert "nothing to do" in create_here(params, output, *FLAGS).out


def test_change_within_the_limit_is_published(folder: Path) -> None:
    cut_csv(folder, 15)
    create_here(folder / "params.yaml", folder / "days" / "1", *FLAGS, "--max_change=7", "--min_examples=15")
    planned = run_here(
        "plan", "--json", "--params", folder / "params.yaml", "--output_dir", folder / "days" / "1", *FLAGS
    )
    assert json.loads(planned.out)["held_back"] == []


@pytest.mark.parametrize("value", ["-1", "x", "5 percent", "%", ""])
def test_a_change_that_is_no_percentage_is_refused(folder: Path, value: str) -> None:
    said = create_here(folder / "params.yaml", folder / "out", f"--max_change={value}", status=2)
    assert f"{value!r} is not a percentage, such as 30%" in said.err
