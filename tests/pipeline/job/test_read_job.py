"""A job follows from parameters and input: what is read, which examples are selected, where everything goes."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

import pytest

from maskmill.pipeline.arguments.create_arguments import CreateArguments, add_create_arguments, create_arguments
from maskmill.pipeline.errors import UsageError
from maskmill.pipeline.job.job import Job, JobForm
from maskmill.pipeline.job.read_job import read_job
from maskmill.transforms.annotations.records import Source
from maskmill.transforms.assignment.splits import Selection, SplitRule
from tests.support.builders import write_dataset, write_params

ROWS = ["a.jpg,3,1 2", "b.jpg,4,1 2"]


@pytest.fixture(name="data")
def make_data(tmp_path: Path) -> Path:
    return write_dataset(tmp_path / "data", ROWS)


def arguments(params: Path, output: Path, *flags: str) -> CreateArguments:
    parser = argparse.ArgumentParser()
    add_create_arguments(parser)
    return create_arguments(parser.parse_args([f"--params={params}", f"--output_dir={output}", *flags]), ())


def job_of(tmp_path: Path, data: Path, *flags: str, **changes: Any) -> Job:
    params = write_params(tmp_path / "params.yaml", data, **changes)
    return read_job(arguments(params, tmp_path / "out", *flags))


def test_splits_that_read_the_same_share_a_source(tmp_path: Path, data: Path) -> None:
    job = job_of(tmp_path, data, eval_input={"class_id": 4})
    assert [file.path for file in job.input.files] == [os.path.realpath(data / "train.csv")]
    assert job.input.folders == ((os.path.realpath(data / "train_images"),),)
    assert job.input.sources == (Source(0, frozenset({3, 4})),)
    assert job.selection.rules == (
        SplitRule("train_input", Selection(0, (3,)), 0.0, 0.5),
        SplitRule("eval_input", Selection(0, (4,)), 0.5, 1.0),
    )


def test_splits_that_read_different_folders_have_sources_of_their_own(tmp_path: Path, data: Path) -> None:
    other = write_dataset(tmp_path / "other", ROWS)
    job = job_of(tmp_path, data, eval_input={"data_dir": str(other)})
    assert [source.folder for source in job.input.sources] == [0, 1]
    assert [file.sources for file in job.input.files] == [((0, 0),), ((1, 0),)]
    assert [rule.selection.source for rule in job.selection.rules] == [0, 1]


def test_folds_are_equal_shares_with_the_section_of_train_input(tmp_path: Path, data: Path) -> None:
    job = job_of(tmp_path, data, maskmill={"folds": 3}, eval_input={"class_id": 4})
    selection = Selection(0, (3,))
    assert job.selection.rules == (
        SplitRule("fold_0", selection, 0.0, 1 / 3),
        SplitRule("fold_1", selection, 1 / 3, 2 / 3),
        SplitRule("fold_2", selection, 2 / 3, 1.0),
    )
    assert set(job.form.examples) == {"fold_0", "fold_1", "fold_2"}
    assert job.form.data_params["fold_1"]["augment_data"] is False
    assert "augment_data" not in job.form.data_params["train_input"]


def test_splits_of_a_file_have_selections_of_their_own(tmp_path: Path, data: Path) -> None:
    (tmp_path / "s.csv").write_text("ImageId,split\na.jpg,0\nb.jpg,eval\n")
    changes = {"splits_file": str(tmp_path / "s.csv"), "assignment": "hash", "duplicates": "together"}
    job = job_of(tmp_path, data, maskmill=changes, eval_input={"class_id": 4})
    assert job.selection.rules == (
        SplitRule("eval_input", Selection(0, (4,), "eval_input"), 0.0, 1.0),
        SplitRule("fold_0", Selection(0, (3,), "fold_0"), 0.0, 1.0),
    )
    assert job.input.splits_file == os.path.realpath(tmp_path / "s.csv")
    assert job.input.splits_file in job.input.paths
    fingerprint = job.input.fingerprint
    (tmp_path / "s.csv").write_text("ImageId,split\na.jpg,0\nb.jpg,1\n")
    assert job_of(tmp_path, data, maskmill=changes).input.fingerprint != fingerprint


def test_images_without_rows_are_used_only_if_negatives_ask_for_them(tmp_path: Path, data: Path) -> None:
    assert job_of(tmp_path, data).input.unlisted == {}
    job = job_of(tmp_path, data, maskmill={"negatives": "all"})
    assert job.input.unlisted == {0: (0,)}
    assert job.input.sources[0].empty_rows
    assert job.selection.negatives == 1.0


def test_the_layout_is_the_one_of_the_flags(tmp_path: Path, data: Path) -> None:
    job = job_of(tmp_path, data, "--num_output_files=4", "--num_processes=2", "--name=steel")
    layout = job.output.layout
    assert (layout.name, layout.num_output_files, layout.num_processes, layout.by_hash) == ("steel", 4, 2, False)
    assert (job.num_shards, job.least_shards) == (8, 8)
    bounded = job_of(tmp_path, data, maskmill={"max_shard_bytes": 10**6, "assignment": "hash"})
    assert bounded.output.layout.by_hash
    assert (bounded.num_shards, bounded.least_shards) == (None, 20)


def test_the_key_is_the_same_for_the_same_command_even_on_changed_input(tmp_path: Path, data: Path) -> None:
    first = job_of(tmp_path, data)
    (data / "train_images" / "c.jpg").write_bytes(b"new")
    second = job_of(tmp_path, data)
    assert second.output.key == first.output.key
    assert second.input.fingerprint != first.input.fingerprint
    assert job_of(tmp_path, data, "--num_output_files=3").output.key != first.output.key


def test_data_params_repeat_the_file_and_the_flags(tmp_path: Path, data: Path) -> None:
    tree = job_of(tmp_path, data, "--name=steel").form.data_params
    assert tree["input_args"] == {
        "name": "steel",
        "num_output_files": 10,
        "num_processes": 1,
        "output_dir": str(tmp_path / "out"),
        "params": str(tmp_path / "params.yaml"),
    }
    assert tree["train_input"]["batch_size"] == 4


def test_an_output_folder_that_is_a_file_is_refused(tmp_path: Path, data: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(UsageError, match="out: is a file; choose a folder for --output_dir"):
        job_of(tmp_path, data)


def test_another_meaning_of_class_id_is_another_job(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = job_of(tmp_path, data)
    assert first.form.chosen == ("3",)
    monkeypatch.setattr(JobForm, "chosen", ("2",))
    assert job_of(tmp_path, data).input.fingerprint != first.input.fingerprint


def test_the_job_carries_the_warnings_of_the_file(tmp_path: Path, data: Path) -> None:
    assert job_of(tmp_path, data).warnings == ()
    [warning] = job_of(tmp_path, data, num_steps=1).warnings
    assert warning.startswith(f"{tmp_path / 'params.yaml'}: unknown keys, which have no effect here")
