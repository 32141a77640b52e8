"""A run says why it writes shards again, and which examples differ from the previous dataset; so does `plan`."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from maskmill import format_version
from maskmill.history import read_lines
from maskmill.names import EXAMPLES, HISTORY, MANIFEST
from tests.support.builders import grey_pixels, image_bytes, write_dataset, write_params
from tests.support.command import create_here, run_here
from tests.support.snapshot import Snapshot

ROWS = [f"{index:02}.jpg,3,{1 + index} 2" for index in range(16)]
FLAGS = ("--num_output_files=2",)
NONE = {"added": 0, "removed": 0, "moved": [], "image": 0, "mask": 0}
HASH = {"maskmill": {"assignment": "hash"}}


class Case(NamedTuple):
    """What changes after a first run, and what the second one says.

    Attributes:
        change: is given the folder, in which `data` and `out` are.
        reasons: number of written shards by reason, in both splits.
        changes: of examples, besides zeros.
        flags: of the second run, if they are others than those of the first.
        params: of the second run.
        first: parameters of the first run.
    """

    change: Callable[[Path], object]
    reasons: dict[str, int]
    changes: Mapping[str, Any] = {}
    flags: tuple[str, ...] = ()
    params: Mapping[str, Any] = {}
    first: Mapping[str, Any] = {}


def nothing(_: Path) -> None:
    """Changes no input."""


def change_image(folder: Path, name: str = "03.jpg") -> None:
    (folder / "data" / "train_images" / name).write_bytes(image_bytes(grey_pixels(99)))


def write_rows(change: Callable[[list[str]], list[str]]) -> Callable[[Path], object]:
    """Changes only the CSV; there are images for all of them."""

    def write(folder: Path) -> None:
        change_names = change(list(ROWS))
        for row in change_names:
            path = folder / "data" / "train_images" / row.split(",")[0]
            if not path.exists():
                path.write_bytes(image_bytes(grey_pixels(77)))
        header = (folder / "data" / "train.csv").read_text().splitlines()[0]
        (folder / "data" / "train.csv").write_text("\n".join([header, *change_names, ""]))

    return write


def remove_shard(folder: Path) -> None:
    next((folder / "out" / "train_input").glob("*.h5")).unlink()


CASES = {
    "an image has another size": Case(change_image, {"image changed": 1}, {"image": 1}),
    "a row has other runs": Case(
        write_rows(lambda rows: [*rows[:5], "05.jpg,3,9 9", *rows[6:]]), {"rows changed": 1}, {"mask": 1}
    ),
    "a row comes first": Case(
        write_rows(lambda rows: ["new.jpg,3,1 1", *rows]),
        {"positions moved": 4},
        # Of 17 examples, 8 are for training.
        {"added": 1, "moved": [["train_input", "eval_input", 1]]},
    ),
    "the last row goes": Case(
        write_rows(lambda rows: rows[:-1]),
        {"positions moved": 3},
        {"removed": 1, "moved": [["train_input", "eval_input", 1]]},
    ),
    "an image is added, by hash": Case(
        write_rows(lambda rows: [*rows, "new.jpg,3,1 1"]), {"images added or removed": 1}, {"added": 1}, (), HASH, HASH
    ),
    "the size of the examples": Case(nothing, {"image_shape changed": 4}, params={"image_shape": [8, 24, 1]}),
    "the number of files": Case(nothing, {"num_output_files changed": 8}, flags=("--num_output_files=4",)),
    "the salt": Case(
        nothing,
        {"salt changed": 4},
        {"moved": [["eval_input", "train_input", 2], ["train_input", "eval_input", 4]]},
        params={"maskmill": {"assignment": "hash", "salt": "b"}},
        first=HASH,
    ),
    "the classes": Case(nothing, {"class_id changed": 4}, params={"class_id": [3, 4]}),
    "a file is gone": Case(remove_shard, {"missing or damaged": 1}),
    "changes are detected in another way": Case(
        nothing, {"--checksum given or left out": 4}, {"image": 16}, flags=(*FLAGS, "--checksum")
    ),
    "a key without effect": Case(nothing, {}, params={"batch_size": 9}),
}


@pytest.fixture(name="inputs", scope="module")
def make_inputs(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    folder = tmp_path_factory.mktemp("reasons")
    write_dataset(folder / "data", ROWS)
    return Snapshot(folder)


def reasons_of(entry: dict[str, Any]) -> dict[str, int]:
    total: dict[str, int] = {}
    for reasons in entry["reasons"].values():
        for reason, number in reasons.items():
            total[reason] = total.get(reason, 0) + number
    return total


def last_entry(output: Path) -> Any:
    return read_lines((output / HISTORY).read_bytes())[-1].entry


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_run_says_why_it_writes_shards_again(inputs: Snapshot, case: Case) -> None:
    folder = inputs.restore()
    output = folder / "out"
    create_here(write_params(folder / "params.yaml", folder / "data", **case.first), output, *FLAGS)
    assert reasons_of(last_entry(output)) == {"new": 4}
    assert last_entry(output)["changes"] is None
    case.change(folder)
    params = write_params(folder / "params.yaml", folder / "data", **(case.params or case.first))
    flags = case.flags or FLAGS
    planned = json.loads(run_here("plan", "--json", "--params", params, "--output_dir", output, *flags).out)
    assert {**NONE, **case.changes} == planned["changes"]
    assert reasons_of({"reasons": {split: one["reasons"] for split, one in planned["splits"].items()}}) == case.reasons
    said = create_here(params, output, *flags)
    entry = last_entry(output)
    assert reasons_of(entry) == case.reasons
    assert entry["changes"] == {**NONE, **case.changes}
    assert all(reason in said.out for reason in case.reasons)
    assert ("moved to another split" in said.err) == bool(case.changes.get("moved"))


def test_shards_of_another_version_are_written_for_that_reason(
    inputs: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = inputs.restore()
    params = write_params(folder / "params.yaml", folder / "data")
    create_here(params, folder / "out", *FLAGS)
    monkeypatch.setattr(format_version, "CURRENT", format_version.highest_format() + 1)
    said = create_here(params, folder / "out", *FLAGS)
    assert reasons_of(last_entry(folder / "out")) == {"made by another version": 4}
    assert "2 shards written (made by another version)" in said.out


def test_a_dataset_of_another_day_is_compared_with_the_one_that_is_reused(inputs: Snapshot) -> None:
    folder = inputs.restore()
    params = write_params(folder / "params.yaml", folder / "data")
    create_here(params, folder / "days" / "1", *FLAGS, "--reuse", str(folder / "days"))
    change_image(folder)
    said = create_here(params, folder / "days" / "2", *FLAGS, "--reuse", str(folder / "days"))
    entry = last_entry(folder / "days" / "2")
    assert reasons_of(entry) == {"image changed": 1}
    assert entry["changes"] == {**NONE, "image": 1}
    assert "1 shard written (image changed), 1 shard copied from an earlier dataset" in said.out
    assert "compared with the previous dataset: 1 example whose image file changed" in said.out


def test_examples_that_change_their_split_are_told_with_what_mends_it(inputs: Snapshot) -> None:
    folder = inputs.restore()
    params = write_params(folder / "params.yaml", folder / "data")
    create_here(params, folder / "out", *FLAGS)
    write_rows(lambda rows: [*rows, *(f"x{index}.jpg,3,1 1" for index in range(10))])(folder)
    said = create_here(params, folder / "out", *FLAGS)
    assert (
        "warning: 5 examples moved to another split since the previous dataset: 5 from eval_input to train_input; "
        "with maskmill.assignment: hash, each image keeps its split\n"
    ) in said.err


def test_a_list_of_the_examples_is_kept_with_the_place_of_each(inputs: Snapshot) -> None:
    folder = inputs.restore()
    create_here(write_params(folder / "params.yaml", folder / "data"), folder / "out", *FLAGS)
    lines = (folder / "out" / EXAMPLES).read_text().splitlines()
    assert [line.rsplit(",", 2)[0] for line in lines[:6]] == [
        "image_id,shard,example",
        "00.jpg,train_input/preprocessed_data-0_p0.h5,0",
        "02.jpg,train_input/preprocessed_data-0_p0.h5,1",
        "04.jpg,train_input/preprocessed_data-0_p0.h5,2",
        "06.jpg,train_input/preprocessed_data-0_p0.h5,3",
        "01.jpg,train_input/preprocessed_data-1_p0.h5,0",
    ]
    assert len(lines) == 17
    assert EXAMPLES in json.loads((folder / "out" / MANIFEST).read_text())["files"]


def test_a_bad_image_takes_no_line_of_the_list(inputs: Snapshot) -> None:
    folder = inputs.restore()
    (folder / "data" / "train_images" / "10.jpg").write_bytes(b"no image")
    create_here(write_params(folder / "params.yaml", folder / "data"), folder / "out", *FLAGS, "--max_rejected=1")
    lines = (folder / "out" / EXAMPLES).read_text().splitlines()
    assert [line.rsplit(",", 2)[0] for line in lines[9:12]] == [
        "08.jpg,eval_input/preprocessed_data-0_p0.h5,0",
        "12.jpg,eval_input/preprocessed_data-0_p0.h5,1",
        "14.jpg,eval_input/preprocessed_data-0_p0.h5,2",
    ]


@pytest.mark.parametrize(("files", "warned"), [(10, False), (40, True)])
def test_many_more_shards_than_examples_are_warned_of(inputs: Snapshot, files: int, warned: bool) -> None:
    folder = inputs.restore()
    params = write_params(folder / "params.yaml", folder / "data")
    flags = (f"--num_output_files={files}",)
    warning = (
        "warning: eval_input has 8 examples in 40 shards, most of which are empty; --num_output_files 4 is enough\n"
    )
    assert (warning in run_here("plan", "--params", params, "--output_dir", folder / "out", *flags).err) == warned
    assert (warning in create_here(params, folder / "out", *flags).err) == warned
