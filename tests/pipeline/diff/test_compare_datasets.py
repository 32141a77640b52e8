"""`maskmill diff`: what differs is what was changed, also to the pixel."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import pytest

from maskmill.manifest import seal, unseal
from maskmill.names import EXAMPLES, MANIFEST
from tests.support.builders import HEADER, grey_pixels, image_bytes, write_dataset, write_params
from tests.support.command import create_here, run_here
from tests.support.snapshot import Snapshot

ROWS = [f"{index:02}.jpg,3,{1 + index} 2" for index in range(8)]
FLAGS = ("--num_output_files=2",)
SAME: dict[str, Any] = {
    "same": False,
    "examples": [8, 8],
    "added": [],
    "removed": [],
    "moved": [],
    "reordered": 0,
    "image_changed": [],
    "mask_changed": [],
    "not_comparable": 0,
    "parameters": {},
}


@pytest.fixture(name="made", scope="module")
def make_once(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    """Input in `data`, a copy of it in `other`, and the dataset of `data` in `a`."""
    folder = tmp_path_factory.mktemp("diff")
    write_dataset(folder / "data", ROWS)
    shutil.copytree(folder / "data", folder / "other")
    create_here(write_params(folder / "a.yaml", folder / "data"), folder / "a", *FLAGS)
    return Snapshot(folder)


@pytest.fixture(name="folder")
def restore_folder(made: Snapshot) -> Path:
    return made.restore()


def touch_all(data: Path) -> None:
    for path in (data / "train_images").iterdir():
        os.utime(path, (1, 1))


def change_image(data: Path) -> None:
    touch_all(data)
    (data / "train_images" / "03.jpg").write_bytes(image_bytes(grey_pixels(99)))


def write_rows(data: Path, rows: list[str]) -> None:
    for row in rows:
        path = data / "train_images" / row.split(",")[0]
        if not path.exists():
            path.write_bytes(image_bytes(grey_pixels(50)))
    (data / "train.csv").write_text("\n".join([HEADER, *rows, ""]))


def change_row(data: Path) -> None:
    touch_all(data)
    write_rows(data, [*ROWS[:2], "02.jpg,3,7 7", *ROWS[3:]])


def add_and_remove(data: Path) -> None:
    write_rows(data, [*ROWS[:5], *ROWS[6:], "new.jpg,3,1 1"])


def in_train(name: str) -> dict[str, str]:
    return {"image_id": name, "split": "train_input"}


@pytest.mark.parametrize(
    ("change", "params", "expected"),
    [
        (change_image, {}, {"image_changed": [in_train("03.jpg")]}),
        (change_row, {}, {"mask_changed": [in_train("02.jpg")]}),
        (
            add_and_remove,
            {},
            {
                "added": [{"image_id": "new.jpg", "split": "eval_input"}],
                "removed": [{"image_id": "05.jpg", "split": "eval_input"}],
                "reordered": 2,
            },
        ),
        (
            touch_all,
            {"train_test_split": 0.75},
            {
                "moved": [{**in_train(name), "from": "eval_input"} for name in ("04.jpg", "05.jpg")],
                "reordered": 2,
                "parameters": {
                    "train_input.train_test_split": [0.5, 0.75],
                    "eval_input.train_test_split": [0.5, 0.75],
                },
            },
        ),
        (
            touch_all,
            {"image_shape": [8, 24, 1]},
            {
                "not_comparable": 8,
                "parameters": {
                    "train_input.image_shape": [[16, 24, 1], [8, 24, 1]],
                    "eval_input.image_shape": [[16, 24, 1], [8, 24, 1]],
                },
            },
        ),
        (
            touch_all,
            {"maskmill": {"runs": {"order": "rows"}}},
            {
                # A run of two pixels along a row is not one down a column.
                "mask_changed": [in_train(f"0{i}.jpg") for i in range(4)]
                + [{"image_id": f"0{i}.jpg", "split": "eval_input"} for i in range(4, 8)],
                "parameters": {"maskmill.runs.order": ["columns", "rows"]},
            },
        ),
        (
            touch_all,
            {"batch_size": 9},
            {"parameters": {"train_input.batch_size": [4, 9], "eval_input.batch_size": [4, 9]}},
        ),
    ],
    ids=["image", "row", "added and removed", "moved", "shape", "order of runs", "a key without effect"],
)
def test_what_differs_is_what_was_changed(
    folder: Path, change: Callable[[Path], None], params: dict[str, Any], expected: dict[str, Any]
) -> None:
    change(folder / "other")
    create_here(write_params(folder / "b.yaml", folder / "other", **params), folder / "b", *FLAGS)
    found = json.loads(run_here("diff", "--json", folder / "a", folder / "b", status=1).out)
    del found["splits"]
    assert in_order(found) == in_order({**SAME, **expected})


def in_order(found: dict[str, Any]) -> dict[str, Any]:
    """Examples by name, whatever shards they are in."""
    lists = {key: value for key, value in found.items() if isinstance(value, list) and key != "examples"}
    return {**found, **{key: sorted(value, key=lambda one: one["image_id"]) for key, value in lists.items()}}


def test_datasets_of_the_same_pixels_are_the_same_wherever_they_were_made(folder: Path) -> None:
    touch_all(folder / "other")
    create_here(write_params(folder / "b.yaml", folder / "other"), folder / "b", *FLAGS)
    assert run_here("diff", folder / "a", folder / "b").out == f"{folder}/a and {folder}/b are the same: 8 examples\n"
    assert json.loads(run_here("diff", "--json", folder / "a", folder / "b").out)["same"]


def test_people_are_told_names_and_numbers_by_class(folder: Path) -> None:
    add_and_remove(folder / "other")
    create_here(write_params(folder / "b.yaml", folder / "other", class_id=[3, 4]), folder / "b", *FLAGS)
    assert run_here("diff", folder / "a", folder / "b", status=1).out.splitlines() == [
        f"{folder}/a: 8 examples",
        f"{folder}/b: 8 examples",
        "1 example added: new.jpg",
        "1 example removed: 05.jpg",
        "2 examples at another place in the same split",
        "parameter eval_input.class_id: 3 -> [3, 4]",
        "parameter train_input.class_id: 3 -> [3, 4]",
    ]


def test_a_dataset_without_a_list_is_compared_by_what_its_shards_record(folder: Path) -> None:
    change_image(folder / "other")
    create_here(write_params(folder / "b.yaml", folder / "other"), folder / "b", *FLAGS)
    for name in ("a", "b"):
        path = folder / name / MANIFEST
        content = unseal(path.read_bytes())
        del content["files"][EXAMPLES]
        path.write_bytes(seal(content))
    assert "1 example with another image: 03.jpg" in run_here("diff", folder / "a", folder / "b", status=1).out


def test_shards_without_names_are_refused(folder: Path) -> None:
    path = folder / "a" / MANIFEST
    content = unseal(path.read_bytes())
    del content["files"][EXAMPLES]
    path.write_bytes(seal(content))
    for shard in (folder / "a").glob("*_input/*.h5"):
        size = shard.stat().st_size
        with h5py.File(shard, "a") as file:
            del file.attrs["image_ids"]
        shard.write_bytes(shard.read_bytes()[:size].ljust(size, b"\0"))
    said = run_here("diff", folder / "a", folder / "a", status=2)
    assert "does not record the names of its images; make it again" in said.err


@pytest.mark.parametrize(
    ("break_it", "words"),
    [
        (lambda b: (b / MANIFEST).unlink(), "there is no whole dataset of maskmill"),
        (lambda b: shutil.rmtree(b), "there is no whole dataset of maskmill"),
        (lambda b: (b / MANIFEST).write_text("{}"), "a file beside its shards is damaged"),
        (lambda b: (b / EXAMPLES).write_text("no table"), "is damaged"),
        (lambda b: next(b.glob("*_input/*.h5")).unlink(), "is missing"),
    ],
)
def test_a_damaged_dataset_is_an_error_and_not_a_difference(
    folder: Path, break_it: Callable[[Path], object], words: str
) -> None:
    shutil.copytree(folder / "a", folder / "b")
    break_it(folder / "b")
    said = run_here("diff", folder / "a", folder / "b", status=4)
    assert words in said.err
    assert said.out == ""
