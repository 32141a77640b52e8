"""CSV and parameter files in an object store, apart from the images and by names that look like patterns."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.builders import HEADER, params_of, write_dataset
from tests.support.command import create as create_locally
from tests.support.command import tree
from tests.support.store_runs import FLAGS, ROWS, assert_whole, create, shards_in
from tests.support.stores import Store

pytestmark = pytest.mark.stores

WRONG = f"{HEADER}\nwrong.jpg,3,1 2\n".encode()


def csv_of(rows: list[str]) -> bytes:
    return "\n".join([HEADER, *rows, ""]).encode()


@pytest.fixture
def expected(tmp_path: Path, store: Store) -> dict[str, bytes]:
    """The shards of `ROWS`, whose images, but no CSV, are in the store's folder `data [1]`."""
    data = write_dataset(tmp_path / "data", ROWS)
    store.put_folder(data / "train_images", "data [1]/train_images")
    return shards_in(tree(create_locally(tmp_path, data, FLAGS[0])))


def shards_of(store: Store, csv: str | list[str], params: str = "params.yaml") -> dict[str, bytes]:
    """The shards of a run with certain CSV files."""
    content: dict[str, Any] = params_of(Path("/"), data_dir=store.path("data [1]"), maskmill={"csv": csv})
    store.put(params, json.dumps(content).encode())
    assert create(store, store.path(params)) == 0
    assert_whole(store.tree("out"))
    return shards_in(store.tree("out"))


def test_a_csv_apart_from_the_images_may_have_a_name_like_a_pattern(store: Store, expected: dict[str, bytes]) -> None:
    store.put("p/a[1].csv", csv_of(ROWS))
    store.put("p/a1.csv", WRONG)
    assert shards_of(store, store.path("p/a[1].csv")) == expected


def test_a_pattern_apart_from_the_images_names_the_files_of_its_folder_in_order(
    store: Store, expected: dict[str, bytes]
) -> None:
    store.put("p/b.csv", csv_of(ROWS[3:]))
    store.put("p/a.csv", csv_of(ROWS[:3]))
    for other in ("p/c.txt", "p/below/c.csv", "c.csv"):
        store.put(other, WRONG)
    assert shards_of(store, store.path("p/*.csv")) == expected


def test_a_pattern_below_a_folder_whose_name_looks_like_one(store: Store, expected: dict[str, bytes]) -> None:
    store.put("data [1]/b.csv", csv_of(ROWS[3:]))
    store.put("data [1]/a.csv", csv_of(ROWS[:3]))
    store.put("data 1/c.csv", WRONG)
    assert shards_of(store, "*.csv") == expected


def test_a_parameter_file_may_have_any_name(store: Store, expected: dict[str, bytes]) -> None:
    store.put("data [1]/train.csv", csv_of(ROWS))
    store.put("a b/1#ü.yaml", b"wrong")
    assert shards_of(store, "train.csv", params="a b/[1]#ü.yaml") == expected


def test_lists_of_images_and_images_that_are_equal(tmp_path: Path, store: Store) -> None:
    data = write_dataset(tmp_path / "data", ROWS)
    images = sorted((data / "train_images").iterdir())
    images[1].write_bytes(images[0].read_bytes())
    (tmp_path / "exclude.txt").write_text(f"{images[2].name}\n")
    lines = [f"{image.name},{number % 2}" for number, image in enumerate(images)]
    (tmp_path / "groups.csv").write_text("\n".join(["ImageId,group", *lines]))
    ours = {"assignment": "hash", "duplicates": "drop"}
    here = {"exclude": str(tmp_path / "exclude.txt"), "groups": str(tmp_path / "groups.csv")}
    local = create_locally(tmp_path, data, FLAGS[0], maskmill=ours | here)
    store.put_folder(data, "data")
    for name in ("exclude.txt", "groups.csv"):
        store.put(name, (tmp_path / name).read_bytes())
    there = {"exclude": store.path("exclude.txt"), "groups": store.path("groups.csv")}
    content: dict[str, Any] = params_of(Path("/"), data_dir=store.path("data"), maskmill=ours | there)
    store.put("params.yaml", json.dumps(content).encode())
    assert create(store, store.path("params.yaml")) == 0
    filtered = json.loads(store.tree("out")["manifest.json"])["rows"]["filtered"]
    assert (filtered["excluded"], filtered["dropped as a duplicate"]) == (1, 1)
    assert shards_in(store.tree("out")) == shards_in(tree(local))
