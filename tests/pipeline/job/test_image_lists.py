"""Tests of the lists of images that a parameter file names: `exclude` and `groups`."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from maskmill.pipeline.errors import UsageError
from maskmill.pipeline.job.image_lists import ImageLists, read_image_lists, warn_of_unknown
from maskmill.pipeline.job.params_file import check_params, read_params
from maskmill.pipeline.job.section_models import MaskmillParams
from tests.support.builders import params_of, write_dataset, write_params


@pytest.fixture(autouse=True)
def enter_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def read(**maskmill: object) -> ImageLists:
    return read_image_lists(check_params(params_of(Path("data"), maskmill={"assignment": "hash", **maskmill})))


def test_a_list_and_a_file_of_the_same_names_are_the_same() -> None:
    Path("exclude.txt").write_bytes(b"\xef\xbb\xbf# bad focus\r\na.jpg\r\n\r\n  b.jpg  \r\n  # c.jpg\r\n")
    assert read(exclude="exclude.txt") == read(exclude=["b.jpg", "a.jpg"]) == ImageLists(frozenset({"a.jpg", "b.jpg"}))
    assert read(exclude=["a", "b.png"], image_suffix=".png").excluded == {"a.png", "b.png"}
    assert read(exclude=[]) == read(exclude=None) == read() == ImageLists()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (
            b"a.jpg\n\nx/b.jpg\n",
            "exclude.txt:3: 'x/b.jpg' is no file name; maskmill.exclude takes a line for each image",
        ),
        (b"a.jpg\nK\xf6ln.jpg\n", "exclude.txt:2: the line is not UTF-8; save the file as UTF-8"),
        (b"\x89PNG\r\n\x1a\n\0", "exclude.txt:1: the line is not UTF-8"),
        (b"a\0b", "exclude.txt:1: 'a?b' is no file name"),
    ],
)
def test_what_is_wrong_in_the_file_is_told_with_its_line(content: bytes, words: str) -> None:
    Path("exclude.txt").write_bytes(content)
    with pytest.raises(UsageError, match=re.escape(words)):
        read(exclude="exclude.txt")


def test_what_is_wrong_in_a_list_is_told_with_its_line(tmp_path: Path) -> None:
    params = write_params(tmp_path / "params.yaml", tmp_path, maskmill={"exclude": ["a.jpg", "x/b.jpg", 7]})
    lines = params.read_text().splitlines()
    with pytest.raises(UsageError) as caught:
        read_params(str(params))
    assert str(caught.value).splitlines()[-2:] == [
        f'{params}:{lines.index("  - x/b.jpg") + 1}: maskmill.exclude[1]: "x/b.jpg" is no file name; give a list of '
        "file names, or the path of a text file",
        f"{params}:{lines.index('  - 7') + 1}: maskmill.exclude[2]: 7 is not a string; give a list of file names, or "
        "the path of a text file",
    ]


@pytest.mark.parametrize(
    ("maskmill", "words"),
    [
        ({"exclude": 7}, "maskmill.exclude: 7 is not a string; give a list of file names, or the path of a text file"),
        ({"exclude": "none.txt"}, "maskmill.exclude: none.txt cannot be read: No such file or directory; correct the"),
        ({"exclude": "a.jpg"}, 'to exclude an image, write a list: maskmill.exclude: ["a.jpg"]'),
        ({"exclude": "data"}, "maskmill.exclude: data cannot be read: Is a directory; correct the path"),
        (
            {"groups": "none.csv"},
            "maskmill.groups: none.csv cannot be read: No such file or directory; correct the path",
        ),
        ({"groups": "wrong.csv"}, "/wrong.csv:2: the line has 1 fields, the header 2; correct the line"),
        ({"groups": "in_data.csv"}, "working folder: set maskmill.groups: data/in_data.csv"),
        (
            {"groups": "g.csv", "assignment": "position"},
            "maskmill.groups: assignment: position does not keep groups together: set assignment: hash",
        ),
        ({"groups": "g.csv", "group_pattern": "x"}, "maskmill.groups: there is a group_pattern, too; keep one of them"),
        ({"groups": "g.csv", "group_column": "x"}, "maskmill.groups: there is a group_column, too; keep one of them"),
        ({"duplicates": "merge"}, 'maskmill.duplicates: "merge" is not supported; give keep, together or drop'),
        (
            {"duplicates": "together", "assignment": "stratified"},
            "assignment: stratified does not keep equal images together: set assignment: hash",
        ),
        ({"duplicates": "together", "groups": "g.csv"}, "groups decides what stays together; remove it, or set duplic"),
    ],
)
def test_what_cannot_be_is_told_with_what_to_do(maskmill: dict[str, object], words: str) -> None:
    Path("data").mkdir()
    Path("data/in_data.csv").write_text("ImageId,group\n")
    Path("wrong.csv").write_text("ImageId,group\na.jpg\n")
    with pytest.raises(UsageError, match=re.escape(words)):
        read(**maskmill)


def test_excluded_images_that_no_folder_has_are_named_up_to_three(tmp_path: Path) -> None:
    data = write_dataset(tmp_path / "data", ["a.jpg,3,1 2", "Ko\u0308ln.jpg,3,1 2"])
    folders = [str(data / "train_images")]
    assert warn_of_unknown({"exclude": {"a.jpg", "K\u00f6ln.jpg"}, "splits_file": {}}, folders) == ()
    named = {"exclude": {"a.jpg", "b", "c", "d", "e"}, "splits_file": {"f": "train_input"}}
    warning, other = warn_of_unknown(named, folders)
    assert warning.startswith("maskmill.exclude: 4 of 5 images are not in the image folder: b, c, d and 1 more; give")
    assert other.startswith("maskmill.splits_file: 1 of 1 image is not in the image folder: f; give the names of")


def test_the_splits_of_a_file_come_in_order_and_count_whatever_the_order_of_its_lines() -> None:
    lines = ["a,10", "b,test", "c,2", "d,eval", "e,train", "f,another"]
    found = []
    for text in (lines, lines[::-1]):
        Path("s.csv").write_text("\n".join(["ImageId,split", *text]))
        found.append(read(splits_file="s.csv", image_suffix=".jpg"))
    assert found[0].splits == ["train_input", "eval_input", "fold_2", "fold_10", "another_input", "test_input"]
    assert found[0].settings == found[1].settings != []
    assert found[0].split_of["a.jpg"] == "fold_10"
    Path("s.csv").write_text("ImageId,split\na,1")
    assert read(splits_file="s.csv").settings != found[0].settings


def test_keys_that_came_later_count_only_where_they_are_set() -> None:
    later = {"exclude", "groups", "duplicates", "folds", "splits_file", "colour", "resize"}
    assert not later & MaskmillParams().settings().keys()
    assert MaskmillParams(duplicates="drop").settings()["duplicates"] == "drop"
    assert read().settings == []
    assert read(exclude=["b.jpg", "a.jpg"]).settings == [["a.jpg", "b.jpg"], ""]
