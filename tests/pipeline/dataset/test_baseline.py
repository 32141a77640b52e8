"""What a run starts from: kept shards, replaced ones, foreign files, and whether there is anything to do."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from maskmill.pipeline.dataset.baseline import Baseline, find_baseline, find_reuse
from maskmill.pipeline.errors import UsageError
from maskmill.pipeline.job.job import read_job
from tests.pipeline.job.test_job import arguments
from tests.support.datasets import SHARD, make_dataset

FLAGS = ("--num_output_files=4", "--num_processes=2", "--max_rejected=1")


@pytest.fixture(name="dataset", scope="module")
def make_whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with data, params.yaml, and the dataset that was made of them."""
    folder = tmp_path_factory.mktemp("baseline")
    make_dataset(folder)
    return folder


def baseline_of(folder: Path, output: Path, *flags: str) -> Baseline:
    given = arguments(folder / "params.yaml", output, *(flags or FLAGS))
    return find_baseline(read_job(given), given, find_reuse(given))


def test_an_empty_folder_has_nothing_to_keep(dataset: Path, tmp_path: Path) -> None:
    assert baseline_of(dataset, tmp_path / "new") == Baseline()


def test_a_dataset_of_the_same_input_is_up_to_date(dataset: Path) -> None:
    baseline = baseline_of(dataset, dataset / "out")
    assert baseline.up_to_date
    assert set(baseline.published) == set(baseline.replaces)
    assert len(baseline.published) == 8


@pytest.mark.parametrize("flag", ["--checksum", "--max_rejected=0", "--name=other"])
def test_content_limit_and_parameters_may_leave_something_to_do(dataset: Path, flag: str) -> None:
    baseline = baseline_of(dataset, dataset / "out", *FLAGS, flag)
    assert not baseline.up_to_date
    assert len(baseline.published) == 8


def test_a_shard_that_is_missing_is_replaced_and_not_kept(dataset: Path, tmp_path: Path) -> None:
    shutil.copytree(dataset / "out", tmp_path / "out")
    (tmp_path / "out" / SHARD).unlink()
    baseline = baseline_of(dataset, tmp_path / "out")
    assert not baseline.up_to_date
    assert SHARD not in baseline.published
    assert SHARD in baseline.replaces


def test_foreign_files_are_replaced_only_if_they_are_named_like_shards_and_it_is_asked_for(
    dataset: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "out" / "train_input"
    folder.mkdir(parents=True)
    for name in ("preprocessed_data-0_p0.h5", "other.h5"):
        (folder / name).write_text("")
    with pytest.raises(UsageError, match="holds HDF5 files that are not of a dataset of maskmill"):
        baseline_of(dataset, tmp_path / "out")
    baseline = baseline_of(dataset, tmp_path / "out", *FLAGS, "--overwrite")
    assert baseline.replaces == ("train_input/preprocessed_data-0_p0.h5",)
    assert baseline.warnings == (f"1 HDF5 files of other names stay in {tmp_path / 'out'}: train_input/other.h5 …",)


def test_the_shards_of_an_earlier_dataset_may_be_copied(dataset: Path, tmp_path: Path) -> None:
    baseline = baseline_of(dataset, tmp_path / "new", *FLAGS, f"--reuse={dataset / 'out'}")
    published = baseline_of(dataset, dataset / "out").published
    assert set(baseline.reusable) == {stored.fingerprint for stored in published.values()}
    assert baseline.reuse == str(dataset / "out")
    assert baseline.published == {}
