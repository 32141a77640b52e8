"""Input that lies a folder above or below where it should."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from maskmill.pipeline.job import misplaced_input
from maskmill.pipeline.job.misplaced_input import (
    beside_params,
    better_data_dirs,
    check_images,
    folders_with_images,
)
from maskmill.transforms.files import find_files
from maskmill.transforms.files.object_store import FileInfo


def touch(folder: Path, *paths: str) -> None:
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).touch()


@pytest.mark.parametrize(
    ("paths", "found"),
    [
        (["a.jpg", "x/b.jpg"], ["x"]),
        (["x/b.txt", "y/z/b.PNG", "y/z/w/c.tif"], ["y/z", "y/z/w"]),
        ([".x/a.jpg", "__MACOSX/._a.jpg", "x/.a.jpg", "\udcf6/a.jpg"], []),
    ],
)
def test_folders_with_images_are_found_at_any_depth(tmp_path: Path, paths: list[str], found: list[str]) -> None:
    touch(tmp_path, *paths)
    assert folders_with_images(str(tmp_path)) == found


def test_a_folder_with_anything_that_may_be_an_image_is_left_alone(tmp_path: Path) -> None:
    touch(tmp_path, "images/x/a.jpg", "images/notes.txt", "images/.DS_Store")
    [problem] = check_images(str(tmp_path), ["images"])
    assert problem.startswith(f"{tmp_path}/images: holds no images, but its folder x does; ")
    touch(tmp_path, "images/0002cc93b")
    assert check_images(str(tmp_path), ["images"]) == []


def test_the_key_leads_to_the_images(tmp_path: Path) -> None:
    touch(
        tmp_path, "i/x/y/a.jpg", "j/b.jpg", "k/1/c.jpg", "k/2, 3/d.jpg", *(f"l/{number}/e.jpg" for number in range(4))
    )
    [relative], [absolute] = (check_images(str(tmp_path), [name]) for name in ("i/", f"{tmp_path}/i"))
    assert relative.endswith("set maskmill.images: i/x/y")
    assert absolute.endswith(f"set maskmill.images: {tmp_path}/i/x/y")
    of_i, of_k = check_images(str(tmp_path), ["i", "j", "k"])
    assert of_i.endswith("/i: holds no images, but its folder x/y does; set maskmill.images: [i/x/y, j, k]")
    assert of_k.endswith('k: holds no images, but its folders 1, 2, 3 do; set maskmill.images: [i, j, k/1, "k/2, 3"]')
    [many] = check_images(str(tmp_path), ["l"])
    assert "l: holds no images, only folders of them (0, 1, 2, …); name them in maskmill.images, or put all" in many


def test_objects_in_a_store_have_folders_only_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    class Store:
        objects = ("gs://b/i/", "gs://b/i/notes.txt", "gs://b/i/x/a.jpg", "gs://b/i/x/b.jpg", "gs://b/i/y/c.txt")

        def list(self, prefix: str, *, below: bool = False) -> Iterator[FileInfo]:
            for path in self.objects:
                if path.startswith(prefix) and (below or "/" not in path.removeprefix(prefix)):
                    yield FileInfo(path, 1, 0.0)

    for module in (misplaced_input, find_files):
        monkeypatch.setattr(module, "store_of", lambda path: Store())
    assert folders_with_images("gs://b/i/") == ["x"]
    problem = "gs://b/i: holds no images, but its folder x does; set maskmill.images: i/x"
    assert check_images("gs://b", ["i"]) == [problem]
    assert check_images("gs://b", ["i/x"]) == []
    assert better_data_dirs("gs://b", ["i"], ["train.csv"]) == []


def test_a_better_folder_has_both_the_csv_and_the_images(tmp_path: Path) -> None:
    touch(tmp_path, "x/train.csv", "y/train_images/a.jpg", "z/z/train.csv", "z/z/train_images/a.jpg")
    assert better_data_dirs(str(tmp_path), ["train_images"], ["train.csv"]) == [f"{tmp_path}/z/z"]
    assert better_data_dirs(f"{tmp_path}/z/z/train_images", ["train_images"], ["*.csv"]) == [f"{tmp_path}/z/z"]
    assert better_data_dirs(str(tmp_path), ["train_images"], ["train.csv", "test.csv"]) == []
    assert better_data_dirs(str(tmp_path), ["train_images", "more"], ["train.csv"]) == []
    touch(tmp_path, "z/z/more/b.jpg")
    assert better_data_dirs(str(tmp_path), ["train_images", "more"], ["train.csv"]) == [f"{tmp_path}/z/z"]


def test_input_beside_the_parameter_file_is_found_from_another_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    touch(tmp_path, "my project/data/train.csv", "my project/data/train_images/a.jpg", "work/x")
    file, found = str(tmp_path / "my project" / "p.yaml"), (["train_images"], ["train.csv"])
    monkeypatch.chdir(tmp_path / "work")
    assert beside_params("data", "../my project/p.yaml", *found) == (
        f"a relative data_dir is looked up from the working folder, {tmp_path}/work, not from the parameter file: "
        f"set data_dir: {tmp_path}/my project/data, or first run cd '{tmp_path}/my project' and give --params p.yaml"
    )
    for data_dir, params in (("other", file), (f"{tmp_path}/data", file), ("gs://b/data", file), ("data", "")):
        assert beside_params(data_dir, params, *found) == ""
    assert beside_params("data", "gs://b/p.yaml", *found) == ""
    assert beside_params("data", file, ["train_images"], ["test.csv"]) == ""
    monkeypatch.chdir(tmp_path / "my project")
    assert beside_params("data", "p.yaml", *found) == ""
