"""Images in several folders."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.builders import HEADER, grey_pixels, image_bytes, write_dataset, write_images, write_params
from tests.support.command import create, create_here, digest, manifest, run_here

ROWS = [f"{number}.jpg,3,{1 + number} 2" for number in range(8)]
UNLISTED = ["u1.jpg", "u2.jpg"]
FOLDERS = ["train_images", "more", "more/still"]


@pytest.fixture(name="data")
def write_data(tmp_path: Path) -> Path:
    """8 images with a row, and two without one, in one folder."""
    data = write_dataset(tmp_path / "data", ROWS)
    write_images(data / "train_images", UNLISTED)
    return data


def spread(data: Path) -> None:
    """Moves some of the images into other folders."""
    (data / "more" / "still").mkdir(parents=True)
    for name, folder in (("1.jpg", "more"), ("6.jpg", "more"), ("u1.jpg", "more/still"), ("7.jpg", "more/still")):
        (data / "train_images" / name).rename(data / folder / name)


@pytest.mark.parametrize(
    "maskmill",
    [
        {},
        {"negatives": "all", "exclude": ["1.jpg", "u1.jpg"]},
        {"assignment": "hash", "negatives": "all", "group_pattern": "."},
        {"duplicates": "drop", "negatives": "all"},
    ],
)
def test_the_images_of_several_folders_make_the_same_shards_as_in_one(
    tmp_path: Path, data: Path, maskmill: dict[str, object]
) -> None:
    one = create(tmp_path, data, output="one", maskmill=maskmill)
    spread(data)
    several = create(tmp_path, data, output="several", maskmill={**maskmill, "images": FOLDERS})
    assert digest(several) == digest(one)
    assert manifest(several)["splits"] == manifest(one)["splits"]
    assert "is whole" in run_here("verify", several).out


def test_a_list_of_one_folder_means_that_folder(tmp_path: Path, data: Path) -> None:
    before = manifest(create(tmp_path, data, maskmill={"images": "train_images"}))
    params = write_params(tmp_path / "params.yaml", data, maskmill={"images": ["train_images"]})
    assert "10 shards kept" in create_here(params, tmp_path / "out").out
    assert manifest(tmp_path / "out")["splits"] == before["splits"]


def test_a_name_in_two_folders_is_refused_before_anything_is_made(tmp_path: Path, data: Path) -> None:
    spread(data)
    copy = data / "more" / "0.jpg"
    copy.write_bytes(image_bytes(grey_pixels(99)))
    params = write_params(tmp_path / "params.yaml", data, maskmill={"images": FOLDERS})
    for command in (("create", "--output_dir", tmp_path / "out"), ("preview",)):
        said = run_here(*command, "--params", params, status=2).err
        assert f"{data}/train_images/0.jpg and {copy}: two image folders have an image of this name" in said
    assert not (tmp_path / "out").exists()


def test_a_change_in_any_folder_is_a_change_of_the_input(tmp_path: Path, data: Path) -> None:
    spread(data)
    params = write_params(tmp_path / "params.yaml", data, maskmill={"images": FOLDERS})
    create_here(params, tmp_path / "out")
    assert "nothing to do" in create_here(params, tmp_path / "out").out
    (data / "more" / "still" / "7.jpg").write_bytes(image_bytes(grey_pixels(99)))
    assert "1 shard written (image changed), 9 shards kept" in create_here(params, tmp_path / "out").out


def test_a_missing_image_is_missing_in_all_folders(tmp_path: Path, data: Path) -> None:
    spread(data)
    (data / "train.csv").write_text(f"{HEADER}\n1.jpg,3,1 2\nx.jpg,3,1 2\n6.PNG,3,1 2\n")
    params = write_params(tmp_path / "params.yaml", data, maskmill={"images": FOLDERS})
    said = create_here(params, tmp_path / "out", status=3).err
    places = " or ".join(f"{data}/{folder}" for folder in FOLDERS)
    assert f"x.jpg: there is no file x.jpg in {places}; add the image" in said
    assert f"6.PNG: there is no such file in {places}, which has 6.jpg" in said


def test_a_folder_that_is_missing_or_without_images_is_named(tmp_path: Path, data: Path) -> None:
    params = write_params(tmp_path / "params.yaml", data, maskmill={"images": ["train_images", "more"]})
    said = create_here(params, tmp_path / "out", status=2).err
    assert f"{data}/more: there is no such folder of images; set maskmill.images" in said
    (data / "more" / "deep").mkdir(parents=True)
    (data / "more" / "deep" / "x.jpg").touch()
    said = create_here(params, tmp_path / "out", status=2).err
    assert "more: holds no images, but its folder deep does; set maskmill.images: [train_images, more/deep]" in said


def test_an_image_of_any_folder_can_be_drawn(tmp_path: Path, data: Path) -> None:
    spread(data)
    params = write_params(tmp_path / "params.yaml", data, maskmill={"images": FOLDERS})
    for name in ("7.jpg", "0.jpg"):
        said = run_here("preview", "--params", params, "--image", name, "--output", tmp_path / "preview.png").out
        assert said.startswith(f"{name}: 16 x 24 pixels, 1 row with a mask")
