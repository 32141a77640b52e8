"""Files are listed and found, on the local file system."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from maskmill.transforms.files.find_files import (
    exists,
    find_attempts,
    is_folder,
    list_folder,
    list_folder_if_there,
    match_files,
)


def test_a_folder_is_listed_without_what_lies_below_it(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "x").touch()
    (tmp_path / "a").write_text("abc")
    (tmp_path / "dangling").symlink_to("nowhere")
    (tmp_path / "loop").symlink_to("loop")
    assert [(info.path, info.name, info.size) for info in list_folder(str(tmp_path))] == [(str(tmp_path / "a"), "a", 3)]
    assert list_folder_if_there(str(tmp_path)) == list(list_folder(str(tmp_path)))


def test_names_that_are_not_utf_8_are_listed_only_if_asked_for(tmp_path: Path) -> None:
    for name in ("a", "K\udcf6ln"):
        (tmp_path / name).touch()
    (tmp_path / "\udcf6").mkdir()
    (tmp_path / "\udcf6" / "a").touch()
    assert [info.name for info in list_folder(str(tmp_path))] == ["a"]
    assert sorted(info.name for info in list_folder(str(tmp_path), every_name=True)) == ["K\udcf6ln", "a"]
    assert [Path(info.path).name for info in match_files(str(tmp_path), "a*")] == ["a"]


def test_a_folder_that_is_not_there_is_an_error_or_empty(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        list(list_folder(str(tmp_path / "none")))
    assert list_folder_if_there(str(tmp_path / "none")) == []
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError):
        list_folder_if_there(str(tmp_path / "file"))


def test_patterns_have_a_meaning_in_the_name_but_not_in_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "f[1]*"
    folder.mkdir()
    for name in ("b.csv", "a.csv", "a[1].csv", "c.txt"):
        (folder / name).touch()
    (folder / "folder.csv").mkdir()
    os.mkfifo(folder / "pipe.csv")

    def names(pattern: str) -> list[str]:
        return [Path(info.path).name for info in match_files(str(folder), pattern)]

    assert names("*.csv") == ["a.csv", "a[1].csv", "b.csv"]
    assert names("a[1].csv") == ["a[1].csv"]
    assert names("[ab].csv") == ["a.csv", "b.csv"]
    assert names("nothing*") == []


def test_a_file_and_a_folder_exist_and_a_dangling_link_does_not(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    (tmp_path / "dangling").symlink_to("nowhere")
    (tmp_path / "loop").symlink_to("loop")
    paths = {name: str(tmp_path / name) for name in ("file", "folder", "dangling", "loop", "none", "file/below")}
    assert {name for name, path in paths.items() if exists(path)} == {"file", "folder"}
    assert {name for name, path in paths.items() if is_folder(path)} == {"folder"}
    assert not exists(str(tmp_path / ("x" * 300)))


def test_a_path_that_cannot_be_looked_at_is_an_error_and_not_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: str) -> None:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr("os.stat", refuse)
    for look in (exists, is_folder):
        with pytest.raises(PermissionError):
            look("/secret/a")


def test_what_killed_processes_left_is_found_at_any_depth(tmp_path: Path) -> None:
    (tmp_path / "a" / "b.attempt").mkdir(parents=True)
    for name in ("x.attempt", "a/y.attempt", "a/b.attempt/shard.h5", "a/attempt", "a/z.h5"):
        (tmp_path / name).touch()
    found = [str(Path(path).relative_to(tmp_path)) for path in find_attempts(str(tmp_path))]
    assert sorted(found) == ["a/b.attempt", "a/y.attempt", "x.attempt"]
