"""Which examples a split takes: by class, by group, and of three sections or more."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml

from maskmill import open_dataset
from maskmill.pipeline.cli import main
from maskmill.transforms.assignment.splits import Selection
from tests.support.builders import HEADER, params_of, write_dataset, write_images
from tests.support.command import create, manifest

ALL = Selection(0, (3,))
# One image of class 1 in twenty, and one of class 2 in four, besides class 3.
ROWS = [f"{number:03}.jpg,3,1 2" for number in range(80)]
ROWS += [f"{number:03}.jpg,2,9 2" for number in range(0, 80, 4)]
ROWS += [f"{number:03}.jpg,1,5 2" for number in range(0, 80, 20)]


def members(output: Path, split: str) -> list[str]:
    return [example.image_id for example in open_dataset(output, split)]


@pytest.mark.parametrize("share", [0.1, 0.5, 0.85])
def test_stratified_splits_have_their_share_of_every_class(tmp_path: Path, share: float) -> None:
    data = write_dataset(tmp_path / "data", ROWS)
    write_images(data / "train_images", [f"n{number}.jpg" for number in range(20)])
    maskmill = {"assignment": "stratified", "negatives": "all"}
    output = create(tmp_path, data, class_id="all", train_test_split=share, maskmill=maskmill)
    splits = manifest(output)["splits"]
    totals = {"1": 4, "2": 20, "3": 80, "4": 0, "negatives": 20}
    found = {split: {**entry["classes"], "negatives": entry["negatives"]} for split, entry in splits.items()}
    for name, total in totals.items():
        train, evaluation = found["train_input"][name], found["eval_input"][name]
        assert train + evaluation == total
        assert abs(train - share * total) <= 3
        assert total == 0 or min(train, evaluation) >= 1
    assert len({*members(output, "train_input"), *members(output, "eval_input")}) == 100


def test_another_salt_is_another_stratified_split(tmp_path: Path) -> None:
    data = write_dataset(tmp_path / "data", ROWS)
    found = [
        members(create(tmp_path, data, maskmill={"assignment": "stratified", "salt": salt}), "train_input")
        for salt in ("", "", "x")
    ]
    assert found[0] == found[1]
    assert set(found[0]) != set(found[2])


def coil_of(image_id: str) -> str:
    return image_id.split("_")[0]


COILS = [f"{coil:02}_{number}.jpg" for coil in range(12) for number in range(5)]


def check_groups(output: Path) -> None:
    train, evaluation = (Counter(map(coil_of, members(output, split))) for split in ("train_input", "eval_input"))
    assert not train.keys() & evaluation.keys()
    assert train
    assert evaluation
    assert set((train + evaluation).values()) == {5}


def test_a_pattern_keeps_the_images_of_a_group_together(tmp_path: Path) -> None:
    data = write_dataset(tmp_path / "data", [f"{name},3,1 2" for name in COILS[:40]])
    write_images(data / "train_images", COILS[40:])
    maskmill = {"assignment": "hash", "group_pattern": "^([0-9]+)_", "negatives": "all"}
    check_groups(create(tmp_path, data, maskmill=maskmill))


def test_a_column_keeps_the_images_of_a_group_together(tmp_path: Path) -> None:
    header = f"Coil,{HEADER}"
    data = write_dataset(tmp_path / "data", [f"{name},3,1 2" for name in COILS])
    rows = [f"{coil_of(name)},{name},3,1 2" for name in COILS]
    (data / "train.csv").write_text("\n".join([header, *rows, ""]))
    check_groups(create(tmp_path, data, maskmill={"assignment": "hash", "group_column": "Coil"}))


def test_an_image_of_no_group_or_of_several_is_rejected(tmp_path: Path) -> None:
    data = write_dataset(tmp_path / "data", [f"{name},3,1 2" for name in (*COILS, "x.jpg")])
    pattern = {"assignment": "hash", "group_pattern": "^([0-9]+)_"}
    output = create(tmp_path, data, "--max_rejected=1", maskmill=pattern)
    assert manifest(output)["rejected"] == {"GROUP_INVALID": 1}
    header = f"Coil,{HEADER}"
    rows = [f"{coil_of(name)},{name},3,1 2" for name in COILS] + ["7,x.jpg,3,1 2", "8,x.jpg,3,9 2", ",x.jpg,3,5 2"]
    (data / "train.csv").write_text("\n".join([header, *rows, ""]))
    output = create(
        tmp_path, data, "--max_rejected=2", output="two", maskmill={"assignment": "hash", "group_column": "Coil"}
    )
    assert manifest(output)["rejected"] == {"GROUP_INVALID": 1, "MASK_INCOMPLETE": 1}


@pytest.mark.parametrize("assignment", ["position", "hash", "stratified"])
def test_three_sections_take_their_shares_in_order(tmp_path: Path, assignment: str) -> None:
    data = write_dataset(tmp_path / "data", ROWS[:80])
    shares = {"train_input": 0.7, "eval_input": 0.2, "test_input": 0.1}
    output = make(tmp_path, data, shares, {"assignment": assignment})
    found = [members(output, split) for split in shares]
    together = list(itertools.chain.from_iterable(found))
    assert sorted(together) == [row.split(",")[0] for row in ROWS[:80]]
    if assignment != "hash":
        assert [len(split) for split in found] == [56, 16, 8]
    if assignment == "position":
        assert together == [row.split(",")[0] for row in ROWS[:80]]
    assert sorted(path.name for path in output.glob("meta_*")) == [
        "meta_eval_input.dat",
        "meta_test_input.dat",
        "meta_train_input.dat",
    ]
    assert main(["verify", str(output), "--quiet"]) == 0


def test_a_share_that_nobody_takes_is_counted(tmp_path: Path) -> None:
    data = write_dataset(tmp_path / "data", ROWS[:80])
    output = make(tmp_path, data, {"train_input": 0.5, "test_input": 0.25}, {})
    assert sorted(path.name for path in output.iterdir() if path.is_dir()) == ["test_input", "train_input"]
    assert manifest(output)["rows"]["filtered"]["in no split"] == 20


def make(tmp_path: Path, data: Path, shares: dict[str, float], maskmill: dict[str, object]) -> Path:
    """A dataset of sections with these shares."""
    content = params_of(data, maskmill={**maskmill, "splits": shares})
    content.update(dict.fromkeys(shares, content["train_input"]))
    path = tmp_path / "params.yaml"
    path.write_text(yaml.safe_dump(content, sort_keys=False))
    output = tmp_path / "out"
    assert main(["create", "--params", str(path), "--output_dir", str(output), "--quiet"]) == 0
    return output


GIVE_SHARES = "give names of sections that end in _input, each with a share above 0, together 1 at most"


@pytest.mark.parametrize(
    ("maskmill", "words"),
    [
        ({"splits": {"train_input": 0.7, "test_input": 0.3}}, ["test_input: missing; give a section with the keys of"]),
        ({"splits": {"train_input": 0.7, "eval_input": 0.4}}, [GIVE_SHARES]),
        ({"splits": {"train_input": 0}}, [GIVE_SHARES]),
        ({"splits": {"train": 1}}, [GIVE_SHARES]),
        ({"splits": {}}, [GIVE_SHARES]),
        ({"group_column": "Coil"}, ["maskmill.group_column", "set assignment: hash"]),
        ({"group_pattern": "(", "assignment": "hash"}, ["maskmill.group_pattern", "is no regular expression"]),
        ({"group_pattern": "x", "group_column": "y", "assignment": "hash"}, ["group_pattern", "keep one of them"]),
        ({"group_column": "y", "assignment": "hash", "negatives": "all"}, ["group_column", "use group_pattern"]),
        ({"negatives": 1.5}, ["maskmill.negatives: 1.5", "give as_listed, none, all, or a share"]),
        ({"negatives": "some"}, ['maskmill.negatives: "some"']),
        ({"assignment": "random"}, ["give position, hash or stratified"]),
        ({"classes": ["a", "a"]}, ["maskmill.classes", "not all different"]),
    ],
)
def test_what_cannot_be_is_told_with_what_to_do(
    tmp_path: Path, maskmill: dict[str, object], words: Sequence[str], capsys: pytest.CaptureFixture[str]
) -> None:
    data = write_dataset(tmp_path / "data", ROWS[:4])
    create(tmp_path, data, status=2, maskmill=maskmill)
    error = capsys.readouterr().err
    for word in words:
        assert word in error
