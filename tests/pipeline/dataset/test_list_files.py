"""Files are listed with their sizes; folders that are missing have none, and those that cannot be listed are named."""

from __future__ import annotations

from pathlib import Path

import pytest

from maskmill.pipeline.dataset.list_files import list_sizes, list_split_sizes


def test_sizes_of_files_by_name(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("12345")
    (tmp_path / "folder").mkdir()
    assert list_sizes(str(tmp_path)) == {"a.txt": 5}
    with pytest.raises(FileNotFoundError):
        list_sizes(str(tmp_path / "none"))


def test_sizes_of_splits_by_path_in_the_dataset(tmp_path: Path) -> None:
    (tmp_path / "train_input").mkdir()
    (tmp_path / "train_input" / "data-0_p0.h5").write_text("123")
    (tmp_path / "test_input").write_text("a file")
    sizes, problems = list_split_sizes(str(tmp_path), ["train_input", "eval_input", "test_input"])
    assert sizes == {"train_input/data-0_p0.h5": 3}
    [problem] = problems
    assert problem.startswith("test_input: cannot be listed (")
