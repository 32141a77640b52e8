"""Paths are joined and compared, with and without a scheme."""

from __future__ import annotations

from pathlib import Path

import pytest

from maskmill.transforms.files.errors import NameNotUtf8Error
from maskmill.transforms.files.paths import absolute, is_local, join


@pytest.mark.parametrize(
    ("base", "path", "joined"),
    [
        ("/data", "train.csv", "/data/train.csv"),
        ("/data", "/other/train.csv", "/other/train.csv"),
        ("/data", "gs://bucket/train.csv", "gs://bucket/train.csv"),
        ("gs://bucket/data/", "train.csv", "gs://bucket/data/train.csv"),
        ("gs://bucket", "/local/train.csv", "/local/train.csv"),
    ],
)
def test_a_path_is_below_its_folder_unless_it_stands_for_itself(base: str, path: str, joined: str) -> None:
    assert join(base, path) == joined


def test_the_same_place_has_one_spelling(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "a")
    spellings = [tmp_path / "a", tmp_path / "a" / ".." / "a", tmp_path / "link", f"{tmp_path}/a/"]
    assert len({absolute(str(path)) for path in spellings}) == 1
    assert absolute("gs://bucket/a/") == absolute("gs://bucket/a") == "gs://bucket/a"


def test_a_place_whose_name_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "K\udcf6ln")
    for path in (tmp_path / "K\udcf6ln" / "x", tmp_path / "link"):
        with pytest.raises(NameNotUtf8Error, match=r"/K\\xf6ln.*: the name is not UTF-8; rename it"):
            absolute(str(path))


@pytest.mark.parametrize(("path", "local"), [("/a", True), ("a/b", True), ("gs://a/b", False), ("s3://a", False)])
def test_a_scheme_makes_a_path_remote(path: str, local: bool) -> None:
    assert is_local(path) is local
