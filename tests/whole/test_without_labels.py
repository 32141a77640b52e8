"""`csv: null`: a set of images without labels, for prediction."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from maskmill import DatasetError, open_dataset, submission
from maskmill.names import CROISSANT
from tests.support.builders import (
    HEIGHT,
    WIDTH,
    grey_pixels,
    image_bytes,
    params_of,
    write_dataset,
    write_images,
    write_params,
)
from tests.support.command import create_here, digest, manifest, run_create, run_here, shard_states, tree
from tests.support.datasets import edit_shard

NAMES = [f"{number:02}.jpg" for number in range(18)] + ["B.png", "a.jpg", "ä.jpg"]
FLAGS = ("--num_output_files=4", "--num_processes=2")
TRAINED = {"loss": "multilabel_bce", "num_classes": 5, "class_id": [3, 1]}


@pytest.fixture(name="data")
def write_data(tmp_path: Path) -> Path:
    """21 images in two folders, and what is beside them."""
    data = tmp_path / "data"
    write_images(data / "test_images", NAMES[::-2])
    write_images(data / "more_images", NAMES[-2::-2])
    (data / "test_images" / "notes.txt").write_text("no image")
    (data / "test_images" / ".DS_Store").write_bytes(b"\0")
    return data


def params(folder: Path, data: Path, /, **maskmill: Any) -> Path:
    keys = {"csv": None, "images": ["test_images", "more_images"], **maskmill}
    return write_params(folder / "params.yaml", data, **TRAINED, maskmill=keys)


def test_all_images_are_examples_in_the_order_of_their_names(tmp_path: Path, data: Path) -> None:
    output = tmp_path / "out"
    said = create_here(params(tmp_path, data), output, *FLAGS).out
    assert "eval_input: 21 examples in 4 shards" in said
    assert "  without labels\n" in said
    assert "files in the image folder without the ending of an image, which are left out: 1" in said
    assert "row" not in said
    examples = open_dataset(output, "eval_input")
    assert [example.image_id for example in examples] == examples.image_ids == sorted(NAMES)
    assert (examples.labelled, examples[0].label, examples.read([1, 2]).labels) == (False, None, None)
    assert examples.class_names == ("3", "1")
    assert (examples.areas.shape, examples.statistics.pixel_share.tolist()) == ((21, 0), [])
    view = examples[20].view
    assert view is not None
    assert view.image_size == (HEIGHT, WIDTH)
    assert np.array_equal(np.stack([one.image for one in examples]), examples.read(np.arange(21)).images)
    with pytest.raises(DatasetError, match="eval_input has no labels, as it was made with csv: null"):
        _ = examples.label_shape
    assert "is whole: 21 examples in 4 shards" in run_here("verify", output).out
    told = json.loads((output / CROISSANT).read_text())
    assert told["description"].startswith("Images without labels, in HDF5 files: 21 in eval_input.")
    tables = {table["name"]: table.get("data", []) for table in told["recordSet"]}
    assert tables["splits"][0]["splits/negatives"] is None
    assert [row["arrays/array"] for row in tables["arrays"]] == ["image"]
    assert {"classes", "pixels"}.isdisjoint(tables)
    entry = manifest(output)["splits"]["eval_input"]
    assert (entry["labels"], entry["classes"], entry["negatives"]) == (False, {}, 0)


def test_images_have_the_pixels_that_a_labelled_dataset_has(tmp_path: Path) -> None:
    data = write_dataset(tmp_path / "data", [f"{name},3,1 2" for name in NAMES[:6]])
    sections = {"image_shape": [8, 40, 1], "max_image_shape": [64, 20], "train_test_split": 0.0}
    labelled = write_params(tmp_path / "labelled.yaml", data, **sections)
    create_here(labelled, tmp_path / "labelled")
    create_here(write_params(tmp_path / "p.yaml", data, **sections, maskmill={"csv": None}), tmp_path / "out")
    one, other = (open_dataset(tmp_path / folder, "eval_input") for folder in ("labelled", "out"))
    assert [example.image_id for example in one] == [example.image_id for example in other]
    assert all(np.array_equal(a.image, b.image) for a, b in zip(one, other, strict=True))
    view = other[0].view
    assert view is not None
    assert view.valid == (0, 0, 8, 20)
    assert "are the same" not in run_here("diff", tmp_path / "labelled", tmp_path / "out", status=1).out


@pytest.mark.parametrize(
    "flags", [("--direct_running_mode=multi_processing", "--direct_num_workers=2"), ("--workers=1",)]
)
def test_the_files_are_the_same_however_they_are_made(tmp_path: Path, data: Path, flags: tuple[str, ...]) -> None:
    given = params(tmp_path, data)
    run_create(given, Path("out"), *FLAGS, cwd=tmp_path)
    expected = tree(tmp_path / "out")
    (tmp_path / "out").rename(tmp_path / "before")
    run_create(given, Path("out"), *FLAGS, *flags, cwd=tmp_path)
    assert tree(tmp_path / "out") == expected


def test_a_run_writes_only_what_changed_and_resumes_what_was_interrupted(tmp_path: Path, data: Path) -> None:
    given, output = params(tmp_path, data), tmp_path / "out"
    (data / "more_images" / "a.jpg").rename(data / "a.jpg")
    (data / "more_images" / "a.jpg").write_bytes(b"no image")
    create_here(given, output, *FLAGS, status=3)
    (data / "a.jpg").rename(data / "more_images" / "a.jpg")
    planned = run_here("plan", "--params", given, "--output_dir", output, *FLAGS).out
    assert "3 finished by an earlier attempt" in planned
    assert "21 images\n" in planned
    create_here(given, output, *FLAGS)
    assert "nothing to do" in create_here(given, output, *FLAGS).out
    before = digest(output)
    (data / "test_images" / "02.jpg").write_bytes(image_bytes(grey_pixels(99)))
    create_here(given, output, *FLAGS)
    history = [json.loads(line) for line in (output / "history.jsonl").read_text().splitlines()]
    assert shard_states(history[-1]) == {"written": 1, "kept": 3, "reused": 0}
    assert sum(value != before[path] for path, value in digest(output).items()) == 1


@pytest.mark.parametrize(
    ("sections", "maskmill", "expected"),
    [
        ({}, {}, {"eval_input": sorted(NAMES)}),
        ({"test_input": "eval_input"}, {}, {"test_input": sorted(NAMES)}),
        (
            {"one_input": "eval_input", "two_input": "eval_input"},
            {"splits": {"one_input": 0.4, "two_input": 0.5}},
            {"one_input": sorted(NAMES)[:8], "two_input": sorted(NAMES)[8:18]},
        ),
        ({}, {"exclude": ["00.jpg", "a.jpg"]}, {"eval_input": sorted({*NAMES} - {"00.jpg", "a.jpg"})}),
    ],
)
def test_the_sections_that_get_the_images(
    tmp_path: Path, data: Path, sections: dict[str, str], maskmill: dict[str, Any], expected: dict[str, list[str]]
) -> None:
    keys = {"csv": None, "images": ["test_images", "more_images"], **maskmill}
    content = params_of(data, **TRAINED, maskmill=keys)
    content |= {name: content[other] for name, other in sections.items()}
    given = tmp_path / "params.yaml"
    given.write_text(json.dumps(content))
    create_here(given, tmp_path / "out", *FLAGS)
    assert {
        split: open_dataset(tmp_path / "out", split).image_ids for split in manifest(tmp_path / "out")["splits"]
    } == (expected)


def test_by_hash_and_with_groups_the_images_are_all_there_too(tmp_path: Path, data: Path) -> None:
    create_here(params(tmp_path, data, assignment="hash", group_pattern="."), tmp_path / "out", *FLAGS)
    assert sorted(open_dataset(tmp_path / "out", "eval_input").image_ids) == sorted(NAMES)
    (tmp_path / "groups.csv").write_text("\n".join(["ImageId,group", *(f"{name[:-4]},g" for name in NAMES[:18]), ""]))
    keys = {"images": ["test_images", "more_images"], "image_suffix": ".jpg", "groups": str(tmp_path / "groups.csv")}
    given = params(tmp_path, data, **keys, assignment="hash", exclude=["a", "ä"])
    (data / "test_images" / "B.png").unlink()
    create_here(given, tmp_path / "grouped", *FLAGS)
    assert sorted(open_dataset(tmp_path / "grouped", "eval_input").image_ids) == NAMES[:18]


def test_equal_images_are_dropped_if_that_is_asked_for(tmp_path: Path, data: Path) -> None:
    (data / "more_images" / "zz.jpg").write_bytes((data / "test_images" / "00.jpg").read_bytes())
    create_here(params(tmp_path, data, duplicates="drop"), tmp_path / "out")
    assert "zz.jpg" not in open_dataset(tmp_path / "out", "eval_input").image_ids


@pytest.mark.parametrize(
    ("maskmill", "words"),
    [
        ({"negatives": "none"}, "maskmill.negatives: with csv: null every image is without a defect"),
        (
            {"folds": 3},
            "maskmill.folds: with csv: null all images go to one split, or to those of splits; remove the key",
        ),
        ({"splits_file": "splits.csv"}, "maskmill.splits_file: with csv: null all images go to one split"),
        ({"assignment": "stratified"}, "maskmill.assignment: with csv: null there are no classes to stratify by; give"),
        (
            {"assignment": "hash", "group_column": "patient"},
            "maskmill.group_column: with csv: null there are no rows; use group_pattern or groups; give",
        ),
    ],
)
def test_keys_that_need_rows_are_refused_by_name(
    tmp_path: Path, data: Path, maskmill: dict[str, str], words: str
) -> None:
    assert words in create_here(params(tmp_path, data, **maskmill), tmp_path / "out", status=2).err
    assert not (tmp_path / "out").exists()


def test_a_folder_without_the_names_of_images_is_refused(tmp_path: Path) -> None:
    images = tmp_path / "data" / "train_images"
    write_images(images, ["a.jpg"])
    (images / "a.jpg").rename(images / "a")
    given = write_params(tmp_path / "params.yaml", tmp_path / "data", maskmill={"csv": None})
    said = create_here(given, tmp_path / "out", status=2).err
    assert "train_images: holds no file that ends as images do, such as .jpg or .png; rename its files" in said
    given = write_params(tmp_path / "params.yaml", tmp_path, maskmill={"csv": None})
    assert "eval_input.data_dir: train_images is not in " in create_here(given, tmp_path / "out", status=2).err


@pytest.mark.parametrize("resize", ["pad", "crop"])
def test_images_may_have_colours_and_keep_their_aspect(tmp_path: Path, data: Path, resize: str) -> None:
    keys = {"csv": None, "images": "test_images", "colour": "rgb", "resize": resize}
    given = write_params(tmp_path / "params.yaml", data, image_shape=[24, 24, 3], maskmill=keys, class_id=3)
    create_here(given, tmp_path / "out")
    assert "is whole" in run_here("verify", tmp_path / "out").out
    examples = open_dataset(tmp_path / "out", "eval_input")
    assert (examples.image_shape, examples[0].label) == ((3, 24, 24), None)
    text = submission(examples, np.ones((len(examples), 1, 24, 24), np.uint8))
    assert text is not None
    # What is cropped off is of no class: of the 24 columns, 4 at each side.
    assert text.splitlines()[1] == ("00.jpg,3,1 384" if resize == "pad" else "00.jpg,3,65 256")


def test_without_any_example_nothing_is_published(tmp_path: Path, data: Path) -> None:
    said = create_here(params(tmp_path, data, negatives=0.0001), tmp_path / "out", status=1).err
    assert "eval_input: none of 21 images becomes an example; raise the share of maskmill.negatives" in said
    said = create_here(params(tmp_path, data, exclude=NAMES), tmp_path / "out", status=1).err
    assert "eval_input: no example is left after maskmill.exclude" in said


def test_a_damaged_image_is_rejected(tmp_path: Path, data: Path) -> None:
    (data / "test_images" / "00.jpg").write_bytes(b"")
    assert "(IMAGE_EMPTY)" in create_here(params(tmp_path, data), tmp_path / "out", status=3).err
    create_here(params(tmp_path, data), tmp_path / "out", "--max_rejected=1")
    assert manifest(tmp_path / "out")["rejected"] == {"IMAGE_EMPTY": 1}
    for percent, status in (("4%", 3), ("5%", 0), ("5%", 0)):  # of the images: there are no rows
        create_here(params(tmp_path, data), tmp_path / "again", f"--max_rejected={percent}", status=status)


def test_verify_finds_a_label_that_should_not_be_there_and_wrong_sums(tmp_path: Path, data: Path) -> None:
    output, shard = tmp_path / "out", "eval_input/preprocessed_data-0_p0.h5"
    create_here(params(tmp_path, data), output, *FLAGS)

    def add_label(file: h5py.File) -> None:
        file["example_1/label"] = np.zeros((1, HEIGHT, WIDTH), "<f4")
        file["example_0/image"][0, 0, 0] ^= 1

    edit_shard(output, add_label, shard)
    said = run_here("verify", output, status=4).out
    assert f"{shard}: example_1: holds image, label instead of image" in said
    assert f"{shard}: example_0: has the pixel_sums" in said


def test_an_example_is_drawn_and_reported_without_classes(tmp_path: Path, data: Path) -> None:
    pytest.importorskip("matplotlib")
    output = tmp_path / "out"
    given = params(tmp_path, data)
    create_here(given, output, *FLAGS)
    picture = tmp_path / "picture.png"
    said = run_here("show", output, "--split=eval_input", "--output", picture).out
    assert "example 0 of eval_input, 00.jpg, with no label, is drawn in" in said
    said = run_here("preview", "--params", given, "--output", picture).out
    assert said.startswith("00.jpg: 16 x 24 pixels, without a label (csv: null)\n")
    said = run_here("preview", "--params", given, "--image=x.jpg", "--output", picture, status=2).err
    assert "x.jpg: there is no such image; give the name of a file in maskmill.images" in said
    run_here("report", output)
    page = (output / "report.html").read_text()
    assert "21 examples of 16 × 24 pixels, without labels" in page
    assert "Brightness" in page
    for word in ("Examples by class", "pos_weight", "without a defect", "no defect", "Of 0 rows"):
        assert word not in page


def test_a_dataset_becomes_one_without_labels_in_the_same_folder(tmp_path: Path) -> None:
    data = write_dataset(tmp_path / "data", [f"{name},3,-1" for name in NAMES[:6]])
    create_here(write_params(tmp_path / "p.yaml", data, train_test_split=0.0), tmp_path / "out", *FLAGS)
    said = create_here(write_params(tmp_path / "p.yaml", data, maskmill={"csv": None}), tmp_path / "out", *FLAGS).out
    assert "csv changed" in said
    assert not list((tmp_path / "out" / "train_input").glob("*.h5"))
    assert "is whole" in run_here("verify", tmp_path / "out").out
