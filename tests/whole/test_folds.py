"""`folds`: equal splits for cross-validation, made and read."""

from __future__ import annotations

import itertools
import json
import random
import runpy
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from maskmill import open_dataset
from maskmill.pipeline.sample.write_sample import write_sample
from maskmill.pipeline.verify.verify_dataset import verify
from tests.support.builders import params_of, write_dataset, write_params
from tests.support.command import ROOT, create, create_here, manifest, run_here, tree

SIZE = {"image_shape": [32, 200, 1], "class_id": "all", "num_classes": 5, "loss": "multilabel_bce"}
FOLDS = [f"fold_{number}" for number in range(5)]
PROCESSES = ["--direct_running_mode=multi_processing", "--direct_num_workers=2"]


@pytest.fixture(name="sample", scope="module")
def make_sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("folds") / "sample"
    write_sample(folder, images=200, seed=3)
    return folder


def names(output: Path, *splits: str) -> list[str]:
    examples = open_dataset(output, splits)
    return examples.read(range(len(examples))).image_ids


def members(output: Path) -> dict[str, list[str]]:
    return {split: sorted(names(output, split)) for split in manifest(output)["splits"]}


def differences(output: Path) -> dict[str, int]:
    """By how many examples the folds differ: of each class, without a defect, and in all."""
    entries = manifest(output)["splits"].values()
    counts = [{**one["classes"], "no defect": one["negatives"], "all": one["examples"]} for one in entries]
    return {kind: max(one[kind] for one in counts) - min(one[kind] for one in counts) for kind in counts[0]}


def test_stratified_folds_of_the_sample_are_equal_in_every_class(sample: Path, tmp_path: Path) -> None:
    output = create(tmp_path, sample, **SIZE, maskmill={"assignment": "stratified", "negatives": "all", "folds": 5})
    assert list(manifest(output)["splits"]) == FOLDS
    assert max(differences(output).values()) == 1
    assert len(set(names(output, *FOLDS))) == sum(map(len, members(output).values())) == 200
    found = verify(str(output))
    assert (found.problems, found.examples) == ((), 200)
    written = json.loads((output / "data_params.json").read_text())
    assert {written[f"{fold}_hdf"]["total_written"] for fold in FOLDS} == {40}
    assert written["fold_3"].keys() >= written["train_input"].keys()
    assert sorted(path.name for path in output.glob("meta_*")) == [f"meta_{fold}.dat" for fold in FOLDS]


@pytest.mark.parametrize("assignment", ["position", "hash", "stratified"])
def test_folds_are_the_same_in_other_processes_and_by_another_order_of_the_rows(
    sample: Path, tmp_path: Path, assignment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    params = write_params(tmp_path / "params.yaml", sample, **SIZE, maskmill={"assignment": assignment, "folds": 3})
    create_here(params, Path("out"), "--num_output_files=2")
    kept = tree(Path("out"))
    create_here(params, Path("other"), "--num_output_files=2", *PROCESSES)
    expected = {path: text for path, text in kept.items() if path.endswith(".h5")}
    assert {path: text for path, text in tree(Path("other")).items() if path.endswith(".h5")} == expected
    if assignment != "position":
        (tmp_path / "shuffled").mkdir()
        (tmp_path / "shuffled" / "train_images").symlink_to(sample / "train_images")
        header, *rows = (sample / "train.csv").read_text().splitlines()
        random.Random(1).shuffle(rows)
        (tmp_path / "shuffled" / "train.csv").write_text("\n".join([header, *rows, ""]))
        again = create(
            tmp_path, tmp_path / "shuffled", **SIZE, output="again", maskmill={"assignment": assignment, "folds": 3}
        )
        assert members(again) == members(Path("out"))


def test_folds_by_position_are_consecutive_and_equal(tmp_path: Path) -> None:
    rows = [f"{number:03}.jpg,3,1 2" for number in range(100)]
    output = create(tmp_path, write_dataset(tmp_path / "data", rows), maskmill={"folds": 7})
    assert list(itertools.chain(*members(output).values())) == [row.split(",")[0] for row in rows]
    assert differences(output)["all"] == 1


def test_groups_stay_in_one_fold_and_new_images_leave_the_others_where_they_are(tmp_path: Path) -> None:
    coils = [f"{coil:02}_{number}.jpg" for coil in range(20) for number in range(4)]
    data = write_dataset(tmp_path / "data", [f"{name},3,1 2" for name in coils])
    rows = (data / "train.csv").read_text().splitlines()
    ours = {"assignment": "hash", "group_pattern": "^([0-9]+)_", "folds": 3}
    (data / "train.csv").write_text("\n".join([*rows[:-4], ""]))
    before = members(create(tmp_path, data, maskmill=ours))
    (data / "train.csv").write_text("\n".join([*rows, ""]))
    after = members(create(tmp_path, data, maskmill=ours))
    folds_of = Counter((name[:2], fold) for fold, found in after.items() for name in found)
    assert set(folds_of.values()) == {4}
    assert len(folds_of) == 20
    for fold, found in before.items():
        assert {name for name in after[fold] if name[:2] != "19"} == set(found)


def test_a_run_resumes_and_a_second_one_has_nothing_to_do(tmp_path: Path) -> None:
    data = write_dataset(tmp_path / "data", [f"{number:02}.jpg,3,1 2" for number in range(40)])
    params = write_params(tmp_path / "params.yaml", data, maskmill={"assignment": "stratified", "folds": 4})
    arguments = ["--params", params, "--output_dir", tmp_path / "out", "--num_output_files=2"]
    image = data / "train_images" / "07.jpg"
    content = image.read_bytes()
    image.write_bytes(b"no image")
    run_here("create", *arguments, status=3)
    image.write_bytes(content)
    splits = json.loads(run_here("plan", *arguments, "--json").out)["splits"]
    assert list(splits) == FOLDS[:4]
    assert sum(split["shards"]["staged"] for split in splits.values()) == 7
    run_here("create", *arguments)
    assert run_here("verify", tmp_path / "out").out
    assert "nothing to do" in run_here("create", *arguments).out
    (tmp_path / "out" / "meta_fold_2.dat").unlink()
    assert "meta_fold_2.dat: is missing" in run_here("verify", tmp_path / "out", status=4).out


def test_other_folds_take_the_place_of_the_old_ones(sample: Path, tmp_path: Path) -> None:
    ours: dict[str, Any] = {"assignment": "hash", "folds": 4}
    params = write_params(tmp_path / "params.yaml", sample, **SIZE, maskmill=ours)
    create_here(params, tmp_path / "out")
    write_params(params, sample, **SIZE, maskmill={**ours, "folds": 3})
    said = create_here(params, tmp_path / "out").out
    assert "(folds changed)" in said
    assert list(manifest(tmp_path / "out")["splits"]) == FOLDS[:3]
    assert not list((tmp_path / "out").rglob("fold_3/*.h5"))
    assert run_here("verify", tmp_path / "out").out
    write_params(params, sample, **SIZE, train_test_split=0.8, maskmill={"assignment": "hash"})
    assert "fold_" not in create_here(params, tmp_path / "out", "--quiet").out
    assert list(manifest(tmp_path / "out")["splits"]) == ["train_input", "eval_input"]
    assert run_here("verify", tmp_path / "out").out


def test_an_evaluation_section_of_another_form_is_told_of(tmp_path: Path) -> None:
    data = write_dataset(tmp_path / "data", ["a.jpg,3,1 2", "b.jpg,4,1 2"])
    params = write_params(tmp_path / "params.yaml", data, maskmill={"folds": 2})
    assert "warning" not in run_here("plan", "--params", params).err
    write_params(params, data, maskmill={"folds": 2}, eval_input={"class_id": 4, "train_test_split": 0.7})
    said = run_here("plan", "--params", params).err
    assert "no split is eval_input, which differs from train_input in class_id; splits without a section of" in said
    # It is not read, whatever is in it, and may be missing.
    write_params(params, data, maskmill={"folds": 2}, eval_input={"image_shape": "?"})
    assert "differs from train_input in image_shape" in run_here("plan", "--params", params).err
    content = params_of(data, maskmill={"folds": 2})
    del content["eval_input"]
    params.write_text(json.dumps(content))
    assert "fold_1: 1 example" in run_here("plan", "--params", params).out


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"folds": 1}, "maskmill.folds: 1 is below 2; give a whole number from 2 to 100"),
        ({"folds": 101}, "maskmill.folds: 101 is above 100; give a whole number from 2 to 100"),
        ({"folds": 2.5}, "maskmill.folds: 2.5 is not a whole number; give a whole number from 2 to 100"),
        ({"folds": True}, "maskmill.folds: true is not a whole number"),
        ({"fold": 3}, "maskmill.fold: unknown key; did you mean folds?"),
        ({"n_folds": 3}, "maskmill.n_folds: unknown key; did you mean folds?"),
        ({"splits": {"train_input": 1.0}, "folds": 3}, "maskmill.folds: there is a splits, too; keep one of them"),
        ({"folds": 3, "splits_file": "s.csv"}, "maskmill.splits_file: there is a folds, too; keep one of them"),
        ({"folds": 3, "groups": "g.csv"}, "assignment: position does not keep groups together: set assignment: hash"),
    ],
)
def test_what_cannot_be_is_told_with_what_to_do(tmp_path: Path, changes: dict[str, object], words: str) -> None:
    data = write_dataset(tmp_path / "data", ["a.jpg,3,1 2"])
    params = write_params(tmp_path / "params.yaml", data, maskmill=changes)
    for command in ("create", "plan"):
        assert words in run_here(command, "--params", params, "--output_dir", tmp_path / "out", status=2).err


def test_the_pictures_of_the_documentation_are_those_of_its_program() -> None:
    drawn = runpy.run_path(str(ROOT / "docs" / "draw_splits.py"))
    folds = drawn["folds_of_sample"]()
    pictures = {"folds": drawn["draw_folds"](folds), "splits_file": drawn["draw_splits_file"]()}
    for name, picture in pictures.items():
        assert (ROOT / "docs" / "images" / f"{name}.svg").read_text() == picture
    for number in range(1, 5):
        sizes = [sum(number in classes for classes in fold) for fold in folds]
        assert max(sizes) - min(sizes) <= 1


def test_a_section_of_a_fold_is_refused_with_its_line(tmp_path: Path) -> None:
    data = write_dataset(tmp_path / "data", ["a.jpg,3,1 2"])
    content = params_of(data, maskmill={"folds": 2})
    params = tmp_path / "params.yaml"
    params.write_text(json.dumps({**content, "fold_1": content["train_input"]}, indent=1))
    line = params.read_text()[: params.read_text().index('"fold_1"')].count("\n") + 1
    words = f"params.yaml:{line}: fold_1: maskmill.folds makes this section, with the keys of train_input; remove it"
    assert words in run_here("plan", "--params", params, status=2).err
