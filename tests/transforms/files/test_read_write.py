"""Files are written as a whole, moved and removed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from maskmill.transforms.files.read_write import move, remove, write_whole


def test_removing_means_the_path_and_not_a_pattern(tmp_path: Path) -> None:
    for name in ("a*", "a1", "[a]", "a"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").touch()
    remove([str(tmp_path / "a*"), str(tmp_path / "[a]" / "file"), str(tmp_path / "not there")])
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")) == [
        "[a]",
        "a",
        "a/file",
        "a1",
        "a1/file",
    ]


def test_removing_a_link_leaves_what_it_points_to(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "a")
    remove([str(tmp_path / "link")])
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


@pytest.mark.parametrize("function", ["fsync", "replace"])
def test_a_file_is_replaced_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, function: str) -> None:
    path, found = tmp_path / "a", []
    real = getattr(os, function)

    def look(*arguments: object) -> object:
        found.append(path.read_bytes())
        return real(*arguments)

    write_whole(str(path), b"first")
    monkeypatch.setattr(os, function, look)
    write_whole(str(path), b"second")
    assert found == [b"first"]  # all of it, until the last moment
    assert path.read_bytes() == b"second"
    assert [one.name for one in tmp_path.iterdir()] == ["a"]


def test_a_file_whose_writing_fails_stays_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    write_whole(str(tmp_path / "a"), b"first")
    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="No space left"):
        write_whole(str(tmp_path / "a"), b"second")
    assert (tmp_path / "a").read_bytes() == b"first"


def test_a_file_is_moved(tmp_path: Path) -> None:
    write_whole(str(tmp_path / "a"), b"content")
    move(str(tmp_path / "a"), str(tmp_path / "b"))
    assert {one.name: one.read_bytes() for one in tmp_path.iterdir()} == {"b": b"content"}
