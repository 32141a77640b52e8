"""Images without a defect: which of them become examples."""

from __future__ import annotations

from pathlib import Path

import pytest

from maskmill import open_dataset
from maskmill.transforms.assignment.image_hash import hash_image
from tests.support.builders import HEADER, write_dataset, write_images
from tests.support.command import create, manifest

LISTED = ["a.jpg", "b.jpg", "c.jpg"]
CLASSES = (1, 2, 3, 4)
DEFECTS = {("a.jpg", 3), ("b.jpg", 1)}
UNLISTED = [f"u{number:02}.jpg" for number in range(40)]


@pytest.fixture(name="data")
def write_data(tmp_path: Path) -> Path:
    """a.jpg has a defect, b.jpg none by `-1`, c.jpg none by an empty row; 40 images stand in no row."""
    data = write_dataset(tmp_path / "data", ["a.jpg,3,1 2", "b.jpg,3,-1", "c.jpg,3,"])
    write_images(data / "train_images", UNLISTED)
    (data / "train_images" / "notes.txt").write_text("no image")
    (data / "train_images" / ".DS_Store").write_bytes(b"\0")
    return data


def images(output: Path, *splits: str) -> list[str]:
    return [example.image_id for split in splits or ("train_input",) for example in open_dataset(output, split)]


@pytest.mark.parametrize(
    ("negatives", "expected", "filtered"),
    [
        ("as_listed", ["a.jpg", "b.jpg"], {"without a mask": 1}),
        ("none", ["a.jpg"], {"without a mask": 1, "negative, and not wanted": 1}),
        ("all", [*LISTED, *UNLISTED], {}),
    ],
)
def test_negatives_are_those_that_are_asked_for(
    tmp_path: Path, data: Path, negatives: str, expected: list[str], filtered: dict[str, int]
) -> None:
    output = create(tmp_path, data, train_test_split=1.0, maskmill={"negatives": negatives})
    assert sorted(images(output)) == expected
    content = manifest(output)
    assert {name: count for name, count in content["rows"]["filtered"].items() if count} == filtered
    split = content["splits"]["train_input"]
    assert (split["classes"], split["negatives"]) == ({"3": 1}, len(expected) - 1)
    assert all(not example.label.any() for example in open_dataset(output) if example.image_id != "a.jpg")


def test_a_share_is_a_sample_that_the_salt_decides(tmp_path: Path, data: Path) -> None:
    taken = {}
    for salt in ("", "", "other"):
        output = create(tmp_path, data, maskmill={"negatives": 0.5, "salt": salt}, train_test_split=1.0)
        found = images(output)
        assert found == taken.setdefault(salt, found)
    assert "a.jpg" in taken[""]
    assert 10 < len(taken[""]) < 32
    assert taken[""] != taken["other"]
    few = create(tmp_path, data, maskmill={"negatives": 0.2}, train_test_split=1.0)
    assert set(images(few)) < set(taken[""])


def test_by_position_images_without_rows_come_last_in_both_splits_by_their_hash(tmp_path: Path, data: Path) -> None:
    output = create(tmp_path, data, maskmill={"negatives": "all"}, train_test_split=0.75)
    train, evaluation = images(output), images(output, "eval_input")
    assert (train[:2], evaluation[:1]) == (["a.jpg", "b.jpg"], ["c.jpg"])
    assert (len(train), len(evaluation)) == (2 + 30, 1 + 10)
    assert train[2:] + evaluation[1:] == sorted(UNLISTED, key=lambda name: hash_image(name, "").place)


def test_an_image_with_defects_of_other_classes_only_is_negative_in_either_layout(tmp_path: Path) -> None:
    rows = ["a.jpg,3,1 2", "b.jpg,1,1 2"]
    data = write_dataset(tmp_path / "data", rows)
    first = create(tmp_path, data, maskmill={"negatives": "all"}, train_test_split=1.0)
    lines = [
        f"{name}_{number},{'1 2' if (name, number) in DEFECTS else ''}" for name in LISTED[:2] for number in CLASSES
    ]
    (data / "train.csv").write_text("\n".join(["ImageId_ClassId,EncodedPixels", *lines, ""]))
    second = create(tmp_path, data, output="second", maskmill={"negatives": "all"}, train_test_split=1.0)
    assert images(first) == images(second) == ["a.jpg", "b.jpg"]


@pytest.mark.parametrize("row", ["u00.jpg,3,1 2 3", "u00.jpg,7,1 2", 'u00.jpg,3,"1 2', "u00.jpg,3,-1\nu00.jpg,3,1 2"])
def test_an_image_whose_row_is_rejected_is_not_taken_for_one_without_a_defect(
    tmp_path: Path, data: Path, row: str
) -> None:
    (data / "train.csv").write_text(f"{HEADER}\na.jpg,3,1 2\n{row}\n")
    output = create(tmp_path, data, "--max_rejected=9", maskmill={"negatives": "all"}, train_test_split=1.0)
    expected = {*LISTED, *UNLISTED[1:]}
    # A line whose quotes do not match names no image.
    assert set(images(output)) == (expected | {"u00.jpg"} if '"' in row else expected)


def test_a_damaged_image_without_rows_is_rejected(tmp_path: Path, data: Path) -> None:
    (data / "train_images" / "u07.jpg").write_bytes(b"")
    output = create(tmp_path, data, "--max_rejected=1", maskmill={"negatives": "all"}, train_test_split=1.0)
    assert manifest(output)["rejected"] == {"IMAGE_EMPTY": 1}
    assert "u07.jpg" not in images(output)


def test_a_dataset_grows_by_the_images_that_are_added(tmp_path: Path, data: Path) -> None:
    maskmill = {"negatives": "all", "assignment": "hash"}
    flags = ("--num_output_files=8",)
    before = create(tmp_path, data, *flags, maskmill=maskmill)
    shards = {path.name: path.stat().st_mtime_ns for path in before.glob("train_input/*.h5")}
    write_images(data / "train_images", ["new.jpg"])
    after = create(tmp_path, data, *flags, maskmill=maskmill)
    assert "new.jpg" in images(after, "train_input", "eval_input")
    changed = [path.name for path in after.glob("train_input/*.h5") if path.stat().st_mtime_ns != shards[path.name]]
    assert len(changed) <= 1
