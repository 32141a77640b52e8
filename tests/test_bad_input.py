"""Bad input ends a run with one clear message, and nothing is published."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.cli import main
from tests.builders import HEADER, grey_pixels, image_bytes, write_dataset, write_params

ROWS = ["a.jpg,3,1 2", "b.jpg,3,5 2", "c.jpg,3,9 2"]


def run(tmp_path: Path, capsys: pytest.CaptureFixture[str], **changes: object) -> tuple[int, str]:
    """Runs `create` on the data in the folder; gives exit status and what it said, and checks that it left nothing."""
    params = write_params(tmp_path / "params.yaml", tmp_path / "data", **changes)
    status = main(["create", "--params", str(params), "--output_dir", str(tmp_path / "out")])
    err = capsys.readouterr().err
    assert "Traceback" not in err
    left = [path for path in (tmp_path / "out").rglob("*") if ".staging" not in path.parts]
    assert left == [], "something is left where a reader looks"
    return status, err


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("b.jpg,3,1 2 3", ["train.csv:3:", "3 numbers", "RLE_ODD_COUNT"]),
        ("b.jpg,3,0 2", ["train.csv:3:", "starts at pixel 0", "RLE_BAD_START"]),
        ("b.jpg,3,-4 2", ["train.csv:3:", "start -4", "RLE_BAD_START"]),
        ("b.jpg,3,4 0", ["train.csv:3:", "length 0", "RLE_BAD_LENGTH"]),
        (
            "b.jpg,3,384 2",
            ["train.csv:3:", "b.jpg: run 1 ends at pixel 385, past the image's 384", "RLE_OUT_OF_BOUNDS"],
        ),
        ("b.jpg,3,1 2 x 4", ["train.csv:3:", "word 3 is 'x'", "RLE_NOT_NUMBERS"]),
        ("b.jpg,5,1 2", ["train.csv:3:", "class is '5'", "CLASS_INVALID"]),
        ("b.jpg,three,1 2", ["train.csv:3:", "class is 'three'", "CLASS_INVALID"]),
        ("b.jpg,3", ["train.csv:3:", "2 fields", "CSV_FIELD_COUNT"]),
        ("b.jpg,3,1,2", ["train.csv:3:", "4 fields", "CSV_FIELD_COUNT"]),
        ('b.jpg,3,"1 2', ["train.csv:3:", "quotes", "CSV_UNCLOSED_QUOTE"]),
        (",3,1 2", ["train.csv:3:", "does not name an image", "IMAGE_ID_INVALID"]),
        ("../a.jpg,3,1 2", ["train.csv:3:", "../a.jpg is not in", "IMAGE_MISSING"]),
        ("/etc/passwd,3,1 2", ["train.csv:3:", "/etc/passwd is not in", "IMAGE_MISSING"]),
    ],
)
def test_bad_row_is_named_by_file_and_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], row: str, words: list[str]
) -> None:
    data = write_dataset(tmp_path / "data", ROWS)
    (data / "train.csv").write_text("\n".join([HEADER, ROWS[0], row, ROWS[2], ""]))
    status, err = run(tmp_path, capsys)
    assert status == 3
    assert all(word in err for word in words), err


def damage(content: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(content)


JPEG = image_bytes(grey_pixels(9, 64, 96), quality=95)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (Path.unlink, ["b.jpg is not in", "add the image, or remove its rows", "IMAGE_MISSING"]),
        (damage(b""), ["b.jpg: the image file is empty", "IMAGE_EMPTY"]),
        (damage(b"<html></html>"), ["b.jpg: the file is not an image", "IMAGE_NOT_RECOGNISED"]),
        (damage(JPEG[: len(JPEG) // 2]), ["b.jpg: the image cannot be decoded", "IMAGE_DAMAGED"]),
        (damage(JPEG[:-40]), ["b.jpg: the image cannot be decoded", "IMAGE_DAMAGED"]),
        (lambda path: (path.unlink(), path.mkdir()), ["b.jpg is not in", "IMAGE_MISSING"]),
        (lambda path: (path.unlink(), path.symlink_to("nowhere")), ["b.jpg is not in", "IMAGE_MISSING"]),
    ],
)
def test_bad_image_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], spoil: Callable[[Path], object], words: list[str]
) -> None:
    data = write_dataset(tmp_path / "data", ROWS)
    spoil(data / "train_images" / "b.jpg")
    status, err = run(tmp_path, capsys)
    assert status == 3
    assert all(word in err for word in words), err


def test_all_bad_rows_and_images_are_looked_for_before_giving_up(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [f"{index:02}.jpg,3,1 2" for index in range(40)]
    data = write_dataset(tmp_path / "data", rows)
    bad = [row.replace(",3,1 2", ",9,1 2") if index % 4 == 0 else row for index, row in enumerate(rows)]
    (data / "train.csv").write_text("\n".join([HEADER, *bad]))
    for index in range(1, 40, 4):
        (data / "train_images" / f"{index:02}.jpg").unlink()
        (data / "train_images" / f"{index + 1:02}.jpg").write_bytes(b"")
    status, err = run(tmp_path, capsys)
    assert status == 3
    assert err.count("IMAGE_EMPTY)") + err.count("IMAGE_MISSING)") + err.count("CLASS_INVALID)") == 20 + 1
    assert "… and 10 more" in err
    for count in ("10 IMAGE_EMPTY", "10 IMAGE_MISSING", "10 CLASS_INVALID"):
        assert count in err
    whole_list = Path(err.strip().rsplit(" ", 1)[-1])
    assert len(whole_list.read_text().splitlines()) == 30


def test_overlapping_runs_are_accepted(tmp_path: Path) -> None:
    write_dataset(tmp_path / "data", ["a.jpg,3,1 5 3 5 1 2"])
    params = write_params(tmp_path / "params.yaml", tmp_path / "data")
    assert main(["create", "--params", str(params), "--output_dir", str(tmp_path / "out"), "--quiet"]) == 0


def test_a_class_without_rows_ends_the_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_dataset(tmp_path / "data", ROWS)
    status, err = run(tmp_path, capsys, eval_input={"class_id": 4})
    assert status == 1
    assert "eval_input: no row of class 4 in" in err
    assert "set class_id" in err


@pytest.mark.parametrize("content", ["", HEADER, HEADER + "\n\n"])
def test_a_csv_without_rows_ends_the_run(tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str) -> None:
    (write_dataset(tmp_path / "data", ROWS) / "train.csv").write_text(content)
    status, err = run(tmp_path, capsys)
    assert status == (1 if content else 2)
    assert ("no row of class 3" if content else "train.csv:1: the header has no column 'ImageId'") in err


def spoil_nothing(_: Path) -> None:
    """Leaves the data as it is."""


@pytest.mark.parametrize(
    ("spoil", "changes", "words"),
    [
        (lambda data: (data / "train.csv").unlink(), {}, ["train.csv: there is no such CSV file"]),
        (lambda data: (data / "train_images").rename(data / "x"), {}, ["train_images: there is no such folder"]),
        (lambda data: data.rename(data.parent / "x"), {}, ["train_input.data_dir: there is no folder"]),
        (
            lambda data: (data / "train.csv").write_text("a,b\n"),
            {},
            ["train.csv:1: the header has no column 'ImageId'"],
        ),
        (lambda data: (data / "train.csv").write_bytes(b"\xff\xfe\n"), {}, ["train.csv:1: the header is not UTF-8"]),
        (
            lambda data: (data / "train.csv.gz").write_bytes(b"x"),
            {"steelbeam": {"csv": "train.csv.gz"}},
            ["train.csv.gz"],
        ),
        (spoil_nothing, {"steelbeam": {"csv": "*.tsv"}}, ["*.tsv: there is no such CSV file"]),
        (spoil_nothing, {"train_test_split": 1.5}, ["params.yaml:", "train_test_split", "between 0 and 1"]),
        (spoil_nothing, {"train_test_split": -0.1}, ["params.yaml:", "train_test_split"]),
        (spoil_nothing, {"image_shape": [0, 16, 1]}, ["params.yaml:", "image_shape"]),
        (spoil_nothing, {"class_id": 5}, ["params.yaml:", "class_id"]),
        (spoil_nothing, {"loss": "mse"}, ["params.yaml:", "model.loss", "bce"]),
        (spoil_nothing, {"data_processor": "Other"}, ["SeverstalBinaryClassDataProcessor"]),
        (spoil_nothing, {"imge_shape": [1, 1, 1]}, ["imge_shape", "did you mean image_shape?"]),
    ],
)
def test_wrong_parameters_and_missing_input_are_found_before_any_work(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    spoil: Callable[[Path], object],
    changes: dict[str, object],
    words: list[str],
) -> None:
    spoil(write_dataset(tmp_path / "data", ROWS))
    status, err = run(tmp_path, capsys, **changes)
    assert status == 2
    assert all(word in err for word in words), err
    assert not (tmp_path / "out").exists()


def test_both_splits_problems_are_named_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_dataset(tmp_path / "data", ROWS)
    status, err = run(tmp_path, capsys, data_dir="/nowhere/first", eval_input={"data_dir": "/nowhere/second"})
    assert status == 2
    assert "/nowhere/first" in err
    assert "/nowhere/second" in err


def test_an_output_folder_that_is_a_file_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_dataset(tmp_path / "data", ROWS)
    params = write_params(tmp_path / "params.yaml", tmp_path / "data")
    (tmp_path / "out").write_text("a file")
    assert main(["create", "--params", str(params), "--output_dir", str(tmp_path / "out")]) == 2
    assert "is a file" in capsys.readouterr().err
    assert (tmp_path / "out").read_text() == "a file"
