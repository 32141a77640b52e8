"""Rejected rows and images as data: counted, listed, left out, up to a limit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from maskmill.pipeline.cli import main
from maskmill.transforms.shards.hdf5_file import read_shard
from tests.support.builders import HEADER, write_dataset, write_params
from tests.support.command import create, digest, manifest

NAMES = [f"{letter}.jpg" for letter in "abcdefghij"]
ROWS = [f"{name},3,{index} 2" for index, name in enumerate(NAMES, start=1)]


@pytest.fixture(name="data")
def make_data(tmp_path: Path) -> Path:
    return write_dataset(tmp_path / "data", ROWS)


def set_rows(data: Path, rows: list[str]) -> None:
    (data / "train.csv").write_text("\n".join([HEADER, *rows, ""]))


def rejected(output: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (output / "rejected.jsonl").read_text().splitlines()]


def starts(output: Path, split: str, file: int) -> list[int]:
    """The first labelled pixel of each example of a shard: it tells the row."""
    examples = read_shard(str(output / split / f"preprocessed_data-{file}_p0.h5"))
    return [int(np.flatnonzero(example.label[0].T.ravel())[0]) + 1 for example in examples]


def test_each_bad_row_and_image_is_a_line_with_source_image_class_code_and_message(tmp_path: Path, data: Path) -> None:
    (data / "train_images" / "b.jpg").write_bytes(b"")
    (data / "train_images" / "c.jpg").unlink()
    set_rows(data, [*ROWS[:3], "d.jpg,9,1 2", "e.jpg,3,1 2 3", "f.jpg,3,999 9", *ROWS[6:]])
    output = create(tmp_path, data, "--max_rejected=5")
    csv, images = str(data / "train.csv"), data / "train_images"
    found = [(one["source"], one["line"], one["image_id"], one["class_id"], one["code"]) for one in rejected(output)]
    assert sorted(found, key=str) == sorted(
        [
            (str(images / "b.jpg"), None, "b.jpg", None, "IMAGE_EMPTY"),
            (csv, 4, "c.jpg", None, "IMAGE_MISSING"),
            (csv, 5, "d.jpg", None, "CLASS_INVALID"),
            (csv, 6, "e.jpg", 3, "RLE_ODD_COUNT"),
            (csv, 7, "f.jpg", 3, "RLE_OUT_OF_BOUNDS"),
        ],
        key=str,
    )
    assert all(one["message"] for one in rejected(output))
    assert manifest(output)["rejected"] == dict.fromkeys(sorted(one[4] for one in found), 1)
    rows = manifest(output)["rows"]
    assert (rows["read"], rows["in_examples"], rows["rejected"]) == (10, 5, 5)


def test_rows_and_missing_images_take_no_position_as_if_they_had_never_been_there(tmp_path: Path, data: Path) -> None:
    set_rows(data, ["a.jpg,9,1 2", *ROWS, "b.jpg,4,1 x", "gone.jpg,3,1 2"])
    output = create(tmp_path, data, "--max_rejected=3")
    set_rows(data, ROWS)
    assert digest(output) == digest(create(tmp_path, data, output="clean"))


def test_an_image_that_cannot_be_decoded_leaves_its_shard_shorter_and_moves_nothing_else(
    tmp_path: Path, data: Path
) -> None:
    flags = ("--num_output_files=2", "--max_rejected=1")
    clean = create(tmp_path, data, *flags, output="clean", train_test_split=1.0)
    (data / "train_images" / "c.jpg").write_bytes(b"")
    output = create(tmp_path, data, *flags, train_test_split=1.0)
    assert starts(output, "train_input", 0) == [1, 5, 7, 9]
    changed = [path for path, sha256 in digest(output).items() if digest(clean)[path] != sha256]
    assert changed == ["train_input/preprocessed_data-0_p0.h5"]
    params = json.loads((output / "data_params.json").read_text())["train_input_hdf"]
    assert (params["n_docs"], params["total_written"]) == (10, 9)
    assert (output / "meta_train_input.dat").read_text().splitlines()[0].endswith("-0_p0.h5 4")


@pytest.mark.parametrize(
    ("limit", "status"), [("0", 3), ("1", 3), ("2", 0), ("19%", 3), ("20%", 0), ("19.99%", 3), ("100%", 0)]
)
def test_limit_is_a_number_or_a_share_of_the_rows(tmp_path: Path, data: Path, limit: str, status: int) -> None:
    for name in ("b.jpg", "c.jpg"):
        (data / "train_images" / name).write_bytes(b"")
    output = create(tmp_path, data, f"--max_rejected={limit}", status=status)
    assert (output / "manifest.json").exists() == (status == 0)


def test_above_the_limit_twenty_are_shown_and_the_whole_list_is_in_a_file(
    tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    set_rows(data, [*ROWS, *("a.jpg,9,1 1" for _ in range(30))])
    output = create(tmp_path, data, "--max_rejected=29", status=3)
    err = capsys.readouterr().err
    assert err.count("(CLASS_INVALID)") == 20
    assert "30 rejected (30 CLASS_INVALID), at most 29 allowed (--max_rejected); nothing is published" in err
    whole_list = Path(err.strip().rsplit(" ", 1)[-1])
    assert len(whole_list.read_text().splitlines()) == 30
    assert [path.name for path in output.iterdir()] == [".staging"]


def test_summary_counts_what_was_left_out(tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    set_rows(data, [*ROWS, "a.jpg,9,1 1", "a.jpg,9,1 1", "gone.jpg,3,1 1"])
    params = write_params(tmp_path / "params.yaml", data)
    arguments = ["create", "--params", str(params), "--output_dir", str(tmp_path / "out"), "--max_rejected", "3"]
    assert main(arguments) == 0
    assert f"3 rejected: 2 CLASS_INVALID, 1 IMAGE_MISSING; they are listed in {tmp_path / 'out'}/rejected.jsonl" in (
        capsys.readouterr().out
    )


def test_what_is_finished_when_too_much_is_rejected_is_taken_up_once_the_csv_is_corrected(
    tmp_path: Path, data: Path
) -> None:
    set_rows(data, [*ROWS, "a.jpg,9,1 1"])
    output = create(tmp_path, data, status=3)
    staged = {path.stat().st_ino for path in output.glob(".staging/*/*_input/*.h5")}
    set_rows(data, ROWS)
    create(tmp_path, data)
    assert {path.stat().st_ino for path in output.glob("*_input/*.h5")} == staged


@pytest.mark.parametrize("text", ["-1", "x", "1.5", "200%", ""])
def test_a_limit_that_is_none_is_wrong_usage(
    tmp_path: Path, data: Path, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    create(tmp_path, data, f"--max_rejected={text}", status=2)
    assert "neither a whole number nor a percentage" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
