"""`latest.json`: which dataset of a folder is the newest."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest

from maskmill.pipeline.dataset.latest import list_datasets, point_at, read_latest
from maskmill.pipeline.errors import UsageError
from tests.support.datasets import SHARD, make_dataset


@pytest.fixture(name="made", scope="module")
def make_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_dataset(tmp_path_factory.mktemp("latest"))


def make_days(folder: Path, made: Path, *days: str) -> str:
    for day in days:
        shutil.copytree(made, folder / day)
    return str(folder)


def test_without_the_file_there_is_none(tmp_path: Path) -> None:
    assert read_latest(str(tmp_path)) is None


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "{}", "3", *(json.dumps({"dataset": name}) for name in (3, "", ".", "..", "a/b", "/a"))]
)
def test_a_file_that_names_no_dataset_is_wrong_usage(tmp_path: Path, content: str) -> None:
    (tmp_path / "latest.json").write_text(content)
    with pytest.raises(UsageError, match=r"latest\.json names no dataset; remove it, and the next run writes it again"):
        read_latest(str(tmp_path))


def test_it_names_a_dataset_with_the_checksum_of_its_manifest(tmp_path: Path, made: Path) -> None:
    folder = make_days(tmp_path, made, "a")
    assert point_at(folder, "a") is None
    digest = hashlib.sha256((made / "manifest.json").read_bytes()).hexdigest()
    assert json.loads((tmp_path / "latest.json").read_text()) == {"dataset": "a", "manifest_sha256": digest}
    assert read_latest(folder) == "a"


def test_it_is_not_written_again_if_it_says_the_same(tmp_path: Path, made: Path) -> None:
    folder = make_days(tmp_path, made, "a")
    point_at(folder, "a")
    before = (tmp_path / "latest.json").stat()
    assert point_at(folder, "a") is None
    assert (tmp_path / "latest.json").stat() == before


def test_it_follows_the_newer_one_by_name_and_not_the_older(tmp_path: Path, made: Path) -> None:
    folder = make_days(tmp_path, made, "2026-01-02", "2026-01-03", "2026-01-01")
    assert [point_at(folder, day) for day in ("2026-01-02", "2026-01-03")] == [None, None]
    assert point_at(folder, "2026-01-01") == "2026-01-03"
    assert read_latest(folder) == "2026-01-03"


@pytest.mark.parametrize("file", ["manifest.json", SHARD])
def test_a_newer_one_that_is_not_whole_does_not_stay(tmp_path: Path, made: Path, file: str) -> None:
    folder = make_days(tmp_path, made, "1", "2")
    point_at(folder, "2")
    (tmp_path / "2" / file).unlink()
    assert point_at(folder, "1") is None
    assert read_latest(folder) == "1"


def test_folders_are_listed_and_links_and_files_are_not(tmp_path: Path) -> None:
    for name in ("b", "a", ".hidden"):
        (tmp_path / name).mkdir()
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("a")
    assert list_datasets(str(tmp_path)) == [".hidden", "a", "b"]
