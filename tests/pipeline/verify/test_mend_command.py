"""The command that mends a dataset, or none if the dataset and its parameter file do not tell it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from maskmill.pipeline.messages.this_program import this_program
from maskmill.pipeline.verify.mend_command import mend_command
from tests.support.builders import write_dataset, write_params
from tests.support.command import create
from tests.support.datasets import SHARD, make_dataset, reseal, write_original


@pytest.fixture(name="made", scope="module")
def make_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_dataset(tmp_path_factory.mktemp("made")).parent


@pytest.fixture(name="folder")
def copy_folder(made: Path, tmp_path: Path) -> Path:
    """A folder with data, params.yaml, which out/data_params.json names by the path of `made`, and out."""
    return shutil.copytree(made, tmp_path / "folder")


def command(params: Path, output: Path | str, *, rejected: str = " --max_rejected 1") -> str:
    layout = "--name preprocessed_data --num_output_files 4 --num_processes 2"
    return f"{this_program()} create --params {params} --output_dir {output} {layout}{rejected} --verify"


def test_the_command_is_that_of_the_dataset_with_what_it_needs(made: Path) -> None:
    assert mend_command(str(made / "out")) == command(made / "params.yaml", made / "out")


def test_a_folder_of_another_spelling_is_named_as_when_it_was_made(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "link").symlink_to(made)
    assert mend_command(str(tmp_path / "link" / "out")) == command(made / "params.yaml", made / "out")
    monkeypatch.chdir(made)
    assert mend_command("out") == command(made / "params.yaml", made / "out")


def test_a_moved_dataset_is_named_where_it_is(made: Path, folder: Path) -> None:
    assert mend_command(str(folder / "out")) == command(made / "params.yaml", folder / "out")


def test_without_rejected_records_none_are_allowed(tmp_path: Path) -> None:
    output = create(tmp_path, write_dataset(tmp_path / "data", ["a.jpg,3,1 1", "b.jpg,3,1 1"]))
    found = mend_command(str(output))
    assert found is not None
    assert "--max_rejected" not in found


def change_params(folder: Path) -> None:
    write_params(folder / "params.yaml", folder / "data", train_test_split=0.5)


UNKNOWN: dict[str, Callable[[Path], object]] = {
    "manifest missing": lambda folder: (folder / "out" / "manifest.json").unlink(),
    "manifest damaged": lambda folder: (folder / "out" / "manifest.json").write_text("{}"),
    "parameters missing": lambda folder: (folder / "out" / "data_params.json").unlink(),
    "parameters damaged": lambda folder: (folder / "out" / "data_params.json").write_text("{}"),
    "parameter file missing": lambda folder: (folder / "params.yaml").unlink(),
    "parameter file is a folder": lambda folder: ((folder / "params.yaml").unlink(), (folder / "params.yaml").mkdir()),
    "parameter file changed": change_params,
    "parameter file damaged": lambda folder: (folder / "params.yaml").write_text("a: [1"),
    "another program's arguments": lambda folder: (
        (folder / "out" / "data_params.json").write_text('{"input_args": 3}'),
        reseal(folder / "out"),
    ),
}


@pytest.mark.parametrize("case", UNKNOWN)
def test_there_is_no_command_if_it_is_not_known(case: str, tmp_path: Path) -> None:
    output = make_dataset(tmp_path)
    (output / SHARD).unlink()
    assert mend_command(str(output)) is not None
    (output / SHARD).touch()
    UNKNOWN[case](tmp_path)
    assert mend_command(str(output)) is None


def test_an_original_has_none(tmp_path: Path) -> None:
    assert mend_command(str(write_original(tmp_path / "original"))) is None
