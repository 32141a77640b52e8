"""The files of a dataset, as they are listed."""

from __future__ import annotations

from pathlib import Path

import pytest

from maskmill.pipeline.dataset.list_files import list_sizes, list_split_sizes


def test_files_are_listed_with_their_sizes_and_folders_are_not(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"123")
    (tmp_path / "train_input").mkdir()
    assert list_sizes(str(tmp_path)) == {"a": 3}


def test_a_folder_that_is_not_there_cannot_be_listed(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="nothing"):
        list_sizes(str(tmp_path / "nothing"))


def test_files_of_splits_have_their_paths_and_a_folder_that_is_no_folder_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "train_input").mkdir()
    (tmp_path / "train_input" / "x.h5").write_bytes(b"12345")
    (tmp_path / "eval_input").touch()
    sizes, problems = list_split_sizes(str(tmp_path), ["train_input", "eval_input", "test_input"])
    assert sizes == {"train_input/x.h5": 5}
    assert [problem.split(" (")[0] for problem in problems] == ["eval_input: cannot be listed"]
