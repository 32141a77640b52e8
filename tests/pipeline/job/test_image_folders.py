"""Image folders that are read together."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from maskmill.pipeline.job import image_folders
from maskmill.pipeline.job.image_folders import check_names_apart

NAME = "Köln.jpg"
NFD = unicodedata.normalize("NFD", NAME)


def write(folder: Path, *names: str) -> str:
    folder.mkdir()
    for name in names:
        (folder / name).touch()
    return str(folder)


def test_names_that_differ_and_what_is_beside_images_are_no_problem(tmp_path: Path) -> None:
    folders = [
        write(tmp_path / "a", "a.jpg", "A.jpg", NAME, NFD, "notes.txt", ".DS_Store", "Thumbs.db", "._x.jpg"),
        write(tmp_path / "b", "b.jpg", "notes.txt", ".DS_Store", "Thumbs.db", "._x.jpg", "\udcf6.jpg"),
    ]
    assert check_names_apart(folders) == []
    assert check_names_apart(folders[:1]) == []


@pytest.mark.parametrize("digest", [image_folders._digest, lambda _: 1])
def test_a_name_in_two_folders_is_told_with_both_paths(
    tmp_path: Path, digest: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(image_folders, "_digest", digest)  # names of the same digest are compared themselves
    one = write(tmp_path / "a", "a.jpg", "b", NAME)
    other = write(tmp_path / "b", "c.jpg", "b", NFD)
    assert check_names_apart([one, other]) == [
        f"{one}/{name} and {other}/{same}: two image folders have an image of this name; rename or remove one of them, "
        "as a row names an image without its folder"
        for name, same in ((NAME, NFD), ("b", "b"))
    ]


def test_of_many_names_the_first_are_told(tmp_path: Path) -> None:
    names = [f"{number}.jpg" for number in range(9)]
    *shown, rest = check_names_apart([write(tmp_path / folder, *names) for folder in "abc"])
    assert [line.partition(" and ")[0] for line in shown] == [f"{tmp_path}/a/{number}.jpg" for number in range(3)]
    assert rest == "… and 6 more names like these"


def test_a_folder_is_named_once(tmp_path: Path) -> None:
    folder = write(tmp_path / "a", "a.jpg")
    assert check_names_apart([folder, folder]) == [f"{folder}: maskmill.images names this folder twice; name it once"]
