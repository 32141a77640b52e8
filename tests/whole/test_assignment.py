"""Which images a shard holds: by hash of the ImageId, and with a bound on a shard's size."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from maskmill.transforms.assignment.assign_by_hash import includes_hash
from maskmill.transforms.assignment.image_hash import hash_image
from maskmill.transforms.assignment.splits import Selection, SplitRule
from maskmill.transforms.examples.image import decode_grey
from maskmill.transforms.examples.label import LabelFormat
from maskmill.transforms.shards.hdf5_file import estimate_bytes, read_shard
from tests.support.builders import write_dataset
from tests.support.command import create, digest, manifest, shard_states
from tests.support.whole_images import form_of

NAMES = [f"{index:03}.jpg" for index in range(80)]
BY_HASH = {"assignment": "hash"}
ALL = Selection(0, (3,))
TRAIN, EVAL = SplitRule("train_input", ALL, 0, 0.75), SplitRule("eval_input", ALL, 0.75, 1)


def write_data(folder: Path, names: Sequence[str] = NAMES) -> Path:
    """A dataset of these images; an image's pixels follow from its name."""
    data = write_dataset(folder / "all", [f"{name},3,{1 + index} 2" for index, name in enumerate(NAMES)])
    rows = (data / "train.csv").read_text().splitlines()
    shutil.copytree(data, folder / "some")
    chosen = [rows[1 + NAMES.index(name)] for name in names]
    (folder / "some" / "train.csv").write_text("\n".join([rows[0], *chosen, ""]))
    return folder / "some"


def placed(output: Path, data: Path) -> dict[str, str]:
    """Path of the shard that holds an image, by the name of the image."""
    images = {decode_grey((data / "train_images" / name).read_bytes()).tobytes(): name for name in NAMES}
    return {
        images[example.image.tobytes()]: str(path.relative_to(output))
        for path in sorted(output.glob("*/*.h5"))
        for example in read_shard(str(path))
    }


def test_every_image_is_in_the_shard_that_its_hash_says(tmp_path: Path) -> None:
    data = write_data(tmp_path)
    output = create(tmp_path, data, "--num_output_files=4", train_test_split=0.75, maskmill={**BY_HASH, "salt": "7"})
    expected = {}
    for name in NAMES:
        image = hash_image(name, "7")
        split = "train_input" if includes_hash(TRAIN, image.split) else "eval_input"
        expected[name] = f"{split}/preprocessed_data-{image.place % 4}_p0.h5"
    assert placed(output, data) == expected


def test_another_salt_is_another_assignment(tmp_path: Path) -> None:
    data = write_data(tmp_path)
    first, second = (
        create(tmp_path, data, "--num_output_files=4", maskmill={**BY_HASH, "salt": salt}, output=f"out{salt}")
        for salt in "12"
    )
    assert placed(first, data) != placed(second, data)


def test_images_that_come_and_go_leave_the_others_in_their_shards(tmp_path: Path) -> None:
    data = write_data(tmp_path, NAMES[:70])
    flags = ("--num_output_files=16",)
    before = placed(create(tmp_path, data, *flags, maskmill=BY_HASH), data)
    rows = (tmp_path / "all" / "train.csv").read_text().splitlines()
    removed, added = NAMES[5], NAMES[75]
    kept = [row for row in rows[:71] if not row.startswith(removed)]
    (data / "train.csv").write_text("\n".join([*kept, rows[76], ""]))
    output = create(tmp_path, data, *flags, maskmill=BY_HASH)
    after = placed(output, data)
    assert set(before) - set(after) == {removed}
    assert set(after) - set(before) == {added}
    assert {name: after[name] for name in set(before) & set(after)} == {
        name: before[name] for name in set(before) & set(after)
    }
    last = json.loads((output / "history.jsonl").read_text().splitlines()[-1])
    written = len({before[removed], after[added]})
    assert shard_states(last) == {"written": written, "kept": 32 - written, "reused": 0}


def test_the_order_of_the_rows_decides_nothing_under_hash(tmp_path: Path) -> None:
    data = write_data(tmp_path)
    with open(data / "train.csv", "a", encoding="utf-8") as csv:
        csv.writelines(f"{name},3,200 5\n" for name in NAMES[::7])
    first = create(tmp_path, data, "--num_output_files=4", maskmill=BY_HASH, output="first")
    header, *rows = (data / "train.csv").read_text().splitlines()
    random.Random(1).shuffle(rows)
    (data / "train.csv").write_text("\n".join([header, *rows, ""]))
    second = create(tmp_path, data, "--num_output_files=4", maskmill=BY_HASH, output="second")
    assert digest(first) == digest(second)
    assert manifest(first)["fingerprint"] == manifest(second)["fingerprint"]


@pytest.mark.parametrize("assignment", ["position", "hash"])
@pytest.mark.parametrize("processes", [1, 3])
def test_max_shard_bytes_makes_as_many_shards_as_it_needs(tmp_path: Path, assignment: str, processes: int) -> None:
    data = write_data(tmp_path)
    most = 12 * estimate_bytes(form_of(LabelFormat("bce", 2, 16, 24, (3,))))
    section = {"assignment": assignment, "max_shard_bytes": most}
    flags = ("--num_output_files=3", f"--num_processes={processes}")
    output = create(tmp_path, data, *flags, train_test_split=0.75, maskmill=section)
    splits = manifest(output)["splits"]
    assert sum(split["examples"] for split in splits.values()) == len(NAMES)
    assert all(shard["bytes"] <= most for split in splits.values() for shard in split["shards"])
    if assignment == "position":
        # 60 and 20 examples, 12 in a shard; no range has fewer files than were asked for.
        asked_for = {1: {"train_input": 5, "eval_input": 3}, 3: {"train_input": 6, "eval_input": 3}}
        assert {name: len(split["shards"]) for name, split in splits.items()} == asked_for[processes]
    create(tmp_path, data, *flags, train_test_split=0.75, maskmill=section)
    assert placed(output, data).keys() == set(NAMES)


def test_a_bound_that_is_wide_enough_changes_nothing(tmp_path: Path) -> None:
    data = write_data(tmp_path)
    plain = create(tmp_path, data, maskmill={}, output="plain")
    bound = create(tmp_path, data, maskmill={"max_shard_bytes": 10**9}, output="bound")
    assert digest(plain) == digest(bound)
