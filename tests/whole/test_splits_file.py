"""`splits_file`: the split of each image from a CSV file beside the parameter file."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from maskmill import open_dataset
from tests.support.builders import params_of, write_dataset, write_images, write_params
from tests.support.command import create, create_here, manifest, run_here, tree

NAMES = [f"{number:02}.jpg" for number in range(24)]
UNLISTED = ["u1.jpg", "u2.jpg", "u3.jpg"]
THREE = {"train_input": [*NAMES[4:], "u1.jpg"], "eval_input": NAMES[1:4], "test_input": [NAMES[0], "u2.jpg"]}
PROCESSES = ["--direct_running_mode=multi_processing", "--direct_num_workers=2"]


@pytest.fixture(name="data")
def write_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """24 images with a row, and three without."""
    monkeypatch.chdir(tmp_path)
    data = write_dataset(tmp_path / "data", [f"{name},3,{1 + at} 2" for at, name in enumerate(NAMES)])
    write_images(data / "train_images", [*NAMES, *UNLISTED])
    return data


def write_splits(splits: Mapping[str, Sequence[str]], header: str = "ImageId,split") -> None:
    lines = [f"{name},{split}" for split, names in splits.items() for name in names]
    Path("splits.csv").write_text("\n".join([header, *lines, ""]))


def members(output: Path) -> dict[str, list[str]]:
    splits = manifest(output)["splits"]
    return {split: sorted(one.image_id for one in open_dataset(output, split)) for split in splits}


def ours(**changes: Any) -> dict[str, Any]:
    return {"splits_file": "splits.csv", "negatives": "all", **changes}


@pytest.mark.parametrize("assignment", ["position", "hash", "stratified"])
def test_each_image_is_in_its_split_and_others_are_counted(tmp_path: Path, data: Path, assignment: str) -> None:
    write_splits({**THREE, "train_input": [*NAMES[6:], "u1.jpg"]})
    output = create(tmp_path, data, maskmill=ours(assignment=assignment))
    assert members(output) == {split: sorted(set(names) - {*NAMES[4:6]}) for split, names in THREE.items()}
    content = manifest(output)
    assert content["rows"]["filtered"]["in no split"] == 2
    assert content["notes"]["images in no split, because maskmill.splits_file does not name them"] == 3
    assert run_here("verify", output).out
    if assignment == "position":
        assert [one.image_id for one in open_dataset(output)] == [*NAMES[6:], "u1.jpg"]
    kept = tree(output)
    shutil.rmtree(output)
    create_here(tmp_path / "params.yaml", output, *PROCESSES)
    assert {path: text for path, text in tree(output).items() if path.endswith(".h5")} == {
        path: text for path, text in kept.items() if path.endswith(".h5")
    }


def test_the_published_folds_of_a_competition_need_no_other_key(tmp_path: Path, data: Path) -> None:
    lines = [f"{at},{name},{float(at % 3)},{at}" for at, name in enumerate(NAMES)]
    Path("splits.csv").write_text("\n".join([",ImageId,fold,classes", *lines]))
    output = create(tmp_path, data, maskmill={"splits_file": "splits.csv"})
    assert members(output) == {f"fold_{fold}": NAMES[fold::3] for fold in range(3)}
    assert len(open_dataset(output, ["fold_0", "fold_2"])) == 16


def test_a_split_has_its_own_section_or_that_of_train_input(tmp_path: Path, data: Path) -> None:
    write_splits({"test": NAMES[:4], "val": NAMES[4:8], "train": NAMES[8:]})
    content = params_of(data, maskmill={"splits_file": "splits.csv"})
    content["test_input"] = {**content["train_input"], "image_shape": [8, 12, 1]}
    params = tmp_path / "params.yaml"
    params.write_text(yaml.safe_dump(content))
    create_here(params, tmp_path / "out")
    shapes = {split: open_dataset(tmp_path / "out", split).image_shape for split in members(tmp_path / "out")}
    assert shapes == {"train_input": (1, 16, 24), "test_input": (1, 8, 12), "val_input": (1, 16, 24)}
    assert run_here("verify", tmp_path / "out").out
    content["test_input"]["image_shape"] = [8]
    params.write_text(yaml.safe_dump(content))
    assert "test_input.image_shape: [8] has length 1" in run_here("plan", "--params", params, status=2).err


def test_rows_of_classes_that_the_split_of_their_image_does_not_take_are_counted(tmp_path: Path, data: Path) -> None:
    (data / "train.csv").write_text("ImageId,ClassId,EncodedPixels\n00.jpg,3,1 2\n00.jpg,4,5 2\n01.jpg,4,1 2\n")
    write_splits({"train": NAMES[:1], "eval": NAMES[1:2]})
    output = create(tmp_path, data, maskmill={"splits_file": "splits.csv"}, eval_input={"class_id": 4})
    assert members(output) == {"train_input": NAMES[:1], "eval_input": NAMES[1:2]}
    assert manifest(output)["rows"]["filtered"]["of another class"] == 1


def test_an_image_that_moves_rewrites_the_shards_that_it_leaves_and_enters(tmp_path: Path, data: Path) -> None:
    write_splits(THREE)
    params = write_params(tmp_path / "params.yaml", data, maskmill=ours(assignment="hash"))
    flags = ("--num_output_files=4",)
    create_here(params, tmp_path / "out", *flags)
    before = tree(tmp_path / "out")
    write_splits({split: sorted(names, reverse=True) for split, names in reversed(THREE.items())})
    assert "nothing to do" in create_here(params, tmp_path / "out", *flags).out
    write_splits({**THREE, "train_input": THREE["train_input"][1:], "eval_input": NAMES[1:5]})
    arguments = ["--params", params, "--output_dir", tmp_path / "out", *flags]
    planned = json.loads(run_here("plan", *arguments, "--json").out)["splits"]
    assert [split["shards"]["write"] for split in planned.values()] == [1, 1, 0]
    said = create_here(params, tmp_path / "out", *flags)
    assert "1 example moved to another split since the previous dataset: 1 from train_input to eval_input" in said.err
    after = tree(tmp_path / "out")
    changed = [path for path in before if path.endswith(".h5") and before[path] != after[path]]
    assert sorted(path.split("/")[0] for path in changed) == ["eval_input", "train_input"]
    assert "nothing to do" in create_here(params, tmp_path / "out", *flags).out


def test_a_name_without_a_file_is_a_warning_and_one_without_a_row_a_note(tmp_path: Path, data: Path) -> None:
    write_splits({"train": [*NAMES[:12], "none.jpg", "u1.jpg", "u2.jpg"], "eval": NAMES[12:]})
    changes = {"negatives": "as_listed", "exclude": ["u2.jpg"]}
    params = write_params(tmp_path / "params.yaml", data, maskmill=ours(**changes))
    for command in ("plan", "create"):
        said = run_here(command, "--params", params, "--output_dir", tmp_path / "out")
        assert "warning: maskmill.splits_file: 1 of 27 images is not in the image folder: none.jpg; give" in said.err
        assert "images that maskmill.splits_file names and no row does, which become no examples: 1\n" in said.out
    write_splits({"train": NAMES, "eval": ["none.jpg"]})
    write_params(params, data, maskmill=ours(negatives="as_listed"))
    said = run_here("create", "--params", params, "--output_dir", tmp_path / "out", status=1)
    assert "eval_input: none of the images that" in said.err
    assert "splits.csv puts there becomes an example: no such file is in the image folder, or no row" in said.err


def test_equal_images_are_dropped_or_have_to_be_in_one_split(tmp_path: Path, data: Path) -> None:
    shutil.copy(data / "train_images" / "00.jpg", data / "train_images" / "23.jpg")
    write_splits(THREE)
    output = create(tmp_path, data, maskmill=ours(duplicates="drop"))
    assert members(output)["test_input"] == ["00.jpg", "u2.jpg"]
    assert "23.jpg" not in members(output)["train_input"]
    params = write_params(tmp_path / "params.yaml", data, maskmill=ours(assignment="hash", duplicates="together"))
    said = create_here(params, tmp_path / "two", status=1)
    words = "00.jpg and 23.jpg are equal images, and maskmill.splits_file puts them into test_input and train_input;"
    assert words in said.err
    assert "Traceback" not in said.err
    write_splits({**THREE, "test_input": ["00.jpg", "23.jpg", "u2.jpg"], "train_input": NAMES[4:23]})
    create_here(params, tmp_path / "two")
    assert members(tmp_path / "two")["test_input"] == ["00.jpg", "23.jpg", "u2.jpg"]


@pytest.mark.parametrize("by", ["groups", "group_pattern"])
def test_a_group_in_two_splits_is_refused_by_name(tmp_path: Path, data: Path, by: str) -> None:
    Path("groups.csv").write_text("\n".join(["ImageId,group", *(f"{name},{name[0]}" for name in NAMES)]))
    value = {"groups": "groups.csv", "group_pattern": "^([0-9])"}[by]
    changes = {"assignment": "hash", "negatives": "as_listed", by: value}
    write_splits({"train": NAMES[:10], "eval": NAMES[10:20], "test": NAMES[20:]})
    output = create(tmp_path, data, maskmill=ours(**changes))
    assert members(output) == {"train_input": NAMES[:10], "eval_input": NAMES[10:20], "test_input": NAMES[20:]}
    write_splits({"train": NAMES[:12], "eval": NAMES[12:]})
    params = write_params(tmp_path / "params.yaml", data, maskmill=ours(**changes))
    said = create_here(params, tmp_path / "out", status=2).err
    assert "maskmill.splits_file: 10.jpg is in train_input and 12.jpg in eval_input, but both are in the gr" in said


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "ImageId,x\n",
            "splits.csv:1: the first line must name the columns ImageId,split or fold, each once; it has: ",
        ),
        ("ImageId,split\n", "splits.csv: it names no image; give a line for each image, with its ImageId and split"),
        (
            "ImageId,split\n00.jpg,train\n00.jpg,1\n",
            "splits.csv:3: 00.jpg is in the split 'fold_1' here, and in 'train_i",
        ),
        ("ImageId,split\n00.jpg,\n", "splits.csv:2: the split of 00.jpg is ''; it must be the name of a section, such"),
        (
            "ImageId,fold\n00.jpg,-1\n",
            "the split of 00.jpg is '-1'; it must be the name of a section, such as train_inp",
        ),
        (
            "ImageId,split\nx/00.jpg,1\n",
            "splits.csv:2: 'x/00.jpg' is no file name; give the name of a file, not a path",
        ),
        ("ImageId,split\na,Train\nb,train\n", "Train_input and train_input differ only in case; write one of them"),
        (
            "ImageId,fold\n" + "".join(f"{number}.jpg,{number}\n" for number in range(101)),
            "splits.csv: it names 101 splits, more than 100; the column is most likely of something else",
        ),
    ],
)
def test_what_is_wrong_in_the_file_stops_the_run_in_a_line(tmp_path: Path, data: Path, text: str, words: str) -> None:
    Path("splits.csv").write_text(text)
    params = write_params(tmp_path / "params.yaml", data, maskmill=ours())
    said = run_here("create", "--params", params, "--output_dir", tmp_path / "out", status=2).err
    assert "maskmill.splits_file: " in said
    assert words in said
    assert said.count("\n") == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"splits_file": "none.csv"},
            "maskmill.splits_file: none.csv cannot be read: No such file or directory; correct",
        ),
        ({"splits_file": "in_data.csv"}, "working folder: set maskmill.splits_file: "),
        ({"split_file": "splits.csv"}, "maskmill.split_file: unknown key; did you mean splits_file?"),
        ({"splits": {"train_input": 1.0}, "splits_file": "s.csv"}, "there is a splits, too; keep one of them; give"),
        (
            {"assignment": "hash", "group_column": "Coil", "splits_file": "s.csv"},
            "maskmill.splits_file: only rows know the groups of group_column, too late; use groups or group_pattern",
        ),
    ],
)
def test_what_cannot_be_is_told_with_what_to_do(
    tmp_path: Path, data: Path, changes: dict[str, object], words: str
) -> None:
    (data / "in_data.csv").write_text("ImageId,split\n00.jpg,train\n")
    params = write_params(tmp_path / "params.yaml", data, maskmill=changes)
    assert words in run_here("plan", "--params", params, status=2).err
