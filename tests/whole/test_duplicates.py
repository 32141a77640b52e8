"""`duplicates`: images whose files are equal."""

from __future__ import annotations

import random
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import apache_beam as beam
import pytest

import maskmill
from maskmill import open_dataset
from maskmill.pipeline.sample.plan_images import plan_image
from maskmill.pipeline.sample.write_sample import image_names, write_sample
from maskmill.transforms import SelectedExample
from maskmill.transforms.files.checksums import sha256_of
from tests.support.builders import params_of, write_dataset, write_params
from tests.support.command import create, create_here, digest, manifest, run_here, tree
from tests.support.datasets import SPLITS

# A sample with three pairs of equal images, one of them with different masks.
SEED, IMAGES = 57, 200
PROCESSES = ["--direct_running_mode=multi_processing", "--direct_num_workers=2"]
SIZE = {"image_shape": [32, 200, 1], "class_id": "all", "num_classes": 5, "loss": "multilabel_bce"}


@pytest.fixture(name="sample", scope="module")
def make_sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("duplicates") / "sample"
    write_sample(folder, images=IMAGES, seed=SEED)
    return folder


def planted() -> dict[str, tuple[str, bool]]:
    """The copies: the image that each is a copy of, and whether it has other masks."""
    names = image_names(SEED, IMAGES)
    plans = {name: plan_image(SEED, index) for index, name in enumerate(names)}
    return {
        name: (names[plan.drawn_as], plan.marked_anew) for name, plan in plans.items() if names[plan.drawn_as] != name
    }


def contents(output: Path, data: Path, split: str) -> list[str]:
    folder = data / "train_images"
    return [sha256_of(str(folder / example.image_id)) for example in open_dataset(output, split)]


@pytest.mark.parametrize("duplicates", ["together", "drop"])
def test_those_of_the_sample_are_found_all_of_them_and_no_other(
    sample: Path, tmp_path: Path, duplicates: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    pairs = planted()
    assert (len(pairs), sum(anew for _, anew in pairs.values())) == (3, 1)
    ours = {"assignment": "hash", "negatives": "all", "duplicates": duplicates}
    params = write_params(tmp_path / "params.yaml", sample, **SIZE, maskmill=ours)
    planned = run_here("plan", "--params", params, "--output_dir", "out")
    made = create_here(params, Path("out"))
    first, *_ = [sorted((one, other)) for one, (other, anew) in pairs.items() if anew]
    for said in (planned, made):
        assert f"warning: equal images have different masks: {first[0]} and {first[1]}; compare these" in said.err
        assert "note: duplicates with another mask than the first image of the same content: 1" in said.out
    found = {split: contents(Path("out"), sample, split) for split in SPLITS}
    assert not set(found[SPLITS[0]]) & set(found[SPLITS[1]])
    numbers = Counter(content for split in found.values() for content in split)
    if duplicates == "drop":
        names = {example.image_id for split in SPLITS for example in open_dataset("out", split)}
        assert set(numbers.values()) == {1}
        assert {*image_names(SEED, IMAGES)} - names == {max(pair[0], copy) for copy, pair in pairs.items()}
        assert "note: images dropped as duplicates of others: 3" in planned.out
    else:
        assert sorted(numbers.values())[-4:] == [1, 2, 2, 2]
        assert "note: images that are duplicates of others, in the same split as these: 3" in planned.out
    assert run_here("verify", "out").out
    kept = tree(Path("out"))
    assert "warning: equal images" in create_here(params, Path("out")).err
    shutil.rmtree("out")
    create_here(params, Path("out"), *PROCESSES)
    assert tree(Path("out")) == kept


@pytest.fixture(name="data")
def write_data(tmp_path: Path) -> Path:
    """A dataset of 30 images, of which every third has the content of one of the first five."""
    data = write_dataset(tmp_path / "data", [f"{number:02}.jpg,3,{1 + number} 2" for number in range(30)])
    for number in range(5, 30, 3):
        shutil.copy(data / "train_images" / f"{number % 5:02}.jpg", data / "train_images" / f"{number:02}.jpg")
    return data


@pytest.mark.parametrize("assignment", ["position", "hash", "stratified"])
def test_which_one_stays_does_not_depend_on_the_order_of_the_rows(tmp_path: Path, data: Path, assignment: str) -> None:
    ours = {"assignment": assignment, "duplicates": "drop"}
    stay = {f"{number:02}.jpg" for number in range(30)} - {f"{number:02}.jpg" for number in range(5, 30, 3)}
    header, *rows = (data / "train.csv").read_text().splitlines()
    digests = []
    for seed in range(3):
        output = create(tmp_path, data, output=f"out{seed}", maskmill=ours)
        assert {example.image_id for split in SPLITS for example in open_dataset(output, split)} == stay
        content = manifest(output)
        assert content["rows"]["filtered"]["dropped as a duplicate"] == 9
        assert len(content["different_masks"]) == 3
        digests.append(digest(output))
        random.Random(seed).shuffle(rows)
        (data / "train.csv").write_text("\n".join([header, *rows, ""]))
    assert assignment == "position" or digests[0] == digests[1] == digests[2]


@pytest.mark.parametrize("duplicates", ["together", "drop"])
def test_equal_images_of_two_folders_are_found_although_their_names_are_the_same(
    tmp_path: Path, data: Path, duplicates: str
) -> None:
    other = tmp_path / "other"
    shutil.copytree(data, other)
    shutil.copy(write_dataset(tmp_path / "more", ["x.jpg,3,1 2"]) / "train_images" / "x.jpg", other / "train_images")
    (other / "train_images" / "x.jpg").open("ab").write(b"not equal")
    (other / "train.csv").open("a").write("x.jpg,3,1 2\n")
    ours = {"assignment": "hash", "duplicates": duplicates}
    output = create(tmp_path, data, eval_input={"data_dir": str(other)}, maskmill=ours)
    found = {split: contents(output, other, split) for split in SPLITS}
    assert not set(found["train_input"]) & set(found["eval_input"])
    kept = len(found["train_input"]) + len(found["eval_input"])
    if duplicates == "drop":
        # Of each content the one in the first folder stays, and only if a split takes it.
        assert kept == len({*found["train_input"], *found["eval_input"]}) < 22
        assert len(found["eval_input"]) <= 1
    else:
        # Each name is in one of the two splits; the hash of x.jpg is in the share of the one that has it.
        assert kept == 31


def test_splits_that_take_the_same_share_cannot_keep_equal_images_apart(
    tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ours = {"assignment": "hash", "duplicates": "together"}
    create(tmp_path, data, status=2, train_test_split=1.0, eval_input={"train_test_split": 0.0}, maskmill=ours)
    assert "train_input and eval_input take the same share of the examples" in capsys.readouterr().err


def in_groups(one: SelectedExample) -> SelectedExample:
    return one._replace(spec=one.spec._replace(group=one.spec.image_id))


def test_a_transform_that_parts_equal_images_fails_the_run_in_a_line(tmp_path: Path, data: Path) -> None:
    params: dict[str, Any] = params_of(data, maskmill={"assignment": "hash", "duplicates": "together"})
    with pytest.raises(maskmill.MaskmillError) as caught:
        maskmill.create(params, tmp_path / "out", transform=beam.Map(in_groups))
    assert "equal images, and the transform puts them into the groups" in str(caught.value).splitlines()[0]


def test_without_the_key_nothing_is_dropped_or_said(tmp_path: Path, data: Path) -> None:
    params = write_params(tmp_path / "params.yaml", data)
    said = create_here(params, tmp_path / "out")
    assert "30 rows read, 30 of them in examples" in said.out
    assert "duplicate" not in said.out + said.err
    assert "different_masks" not in manifest(tmp_path / "out")


def test_a_split_whose_images_are_all_dropped_or_excluded_is_told_why(
    tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(data, tmp_path / "zzz")
    ours = {"assignment": "hash", "duplicates": "drop", "exclude": ["00.jpg"]}
    create(tmp_path, data, status=1, eval_input={"data_dir": str(tmp_path / "zzz")}, maskmill=ours)
    words = "eval_input: no example is left after maskmill.exclude and maskmill.duplicates: drop; some have to be kept"
    assert words in capsys.readouterr().err
