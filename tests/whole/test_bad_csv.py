"""Bad and odd CSV files: a bad row is named with file and line, an odd one is read."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from maskmill.runs import format_runs
from maskmill.transforms.limits import MAX_LINE_BYTES
from maskmill.transforms.rejected import Code
from tests.support.bad_input import ROWS, csv_text, run, three_images
from tests.support.builders import HEADER, image_bytes, write_dataset, write_images, write_params

ORIGINAL = "ImageId_ClassId,EncodedPixels"
# 500,000 runs of one pixel each, 4.8 MB, for an image of 1000 x 1000.
LONG_MASK = format_runs(np.stack([np.arange(1, 1_000_001, 2), np.ones(500_000, np.int64)], axis=1))


def random_runs(seed: int) -> str:
    """Runs without any pattern but their order, 4 MB: they cannot be packed."""
    runs = np.random.default_rng(seed).integers(1, 2**30, (200_000, 2))
    return format_runs(np.stack([np.sort(runs[:, 0]), runs[:, 1]], axis=1))


# Each is refused by itself: (row, code, words of the message).
BAD_ROWS = [
    # the line
    ("b.jpg,3", Code.CSV_FIELD_COUNT, "2 fields, the header 3"),
    ("b.jpg", Code.CSV_FIELD_COUNT, "1 fields, the header 3"),
    ("b.jpg,3,1 2,", Code.CSV_FIELD_COUNT, "4 fields, the header 3; quote a field that contains a comma"),
    ("b.jpg,3,1,2,5,6", Code.CSV_FIELD_COUNT, "6 fields"),
    ("b.jpg;3;1 2", Code.CSV_FIELD_COUNT, "1 fields"),
    ('b.jpg,3,"1 2', Code.CSV_UNCLOSED_QUOTE, "quotes"),
    ('"b.jpg,3,1 2', Code.CSV_UNCLOSED_QUOTE, "quotes"),
    ('b.jpg,3,"1 2" 3', Code.CSV_UNCLOSED_QUOTE, "quotes"),
    ("b.jpg,3,1 2\udcff", Code.CSV_NOT_UTF8, "the line is not UTF-8"),
    ("b\udcff.jpg,3,1 2", Code.CSV_NOT_UTF8, "the line is not UTF-8"),
    ("\0" * 1000, Code.CSV_FIELD_COUNT, "1 fields"),
    ("b.jpg,3," + "1 2 " * (MAX_LINE_BYTES // 4), Code.CSV_LINE_TOO_LONG, "the line has more than 16777216"),
    (" " * (MAX_LINE_BYTES + 1), Code.CSV_LINE_TOO_LONG, "the line has more than 16777216 bytes"),
    # the image
    (",3,1 2", Code.IMAGE_ID_INVALID, "does not name an image"),
    ("  ,3,1 2", Code.IMAGE_ID_INVALID, "does not name an image"),
    ("../data/train_images/b.jpg,3,1 2", Code.IMAGE_ID_INVALID, "must be a file name, not a path"),
    ("/etc/passwd,3,1 2", Code.IMAGE_ID_INVALID, "must be a file name, not a path"),
    ("x/b.jpg,3,1 2", Code.IMAGE_ID_INVALID, "must be a file name, not a path"),
    (r"..\b.jpg,3,1 2", Code.IMAGE_ID_INVALID, "must be a file name, not a path"),
    ("gs://bucket/b.jpg,3,1 2", Code.IMAGE_ID_INVALID, "must be a file name, not a path"),
    ("..,3,1 2", Code.IMAGE_ID_INVALID, "must be a file name, not a path"),
    (".,3,1 2", Code.IMAGE_ID_INVALID, "must be a file name, not a path"),
    ("b\0.jpg,3,1 2", Code.IMAGE_ID_INVALID, "'b\\x00.jpg' does not name an image"),
    ("B.JPG,3,1 2", Code.IMAGE_MISSING, "there is no file B.JPG in"),
    ("x" * 1000 + ".jpg,3,1 2", Code.IMAGE_MISSING, "there is no file xxx"),
    ("y" * 5000 + ".jpg,3,1 2", Code.IMAGE_ID_INVALID, "no file name has more than 1024 bytes"),
    # the class
    ("b.jpg,0,1 2", Code.CLASS_INVALID, "the class is '0'"),
    ("b.jpg,5,1 2", Code.CLASS_INVALID, "the class is '5'"),
    ("b.jpg,-1,1 2", Code.CLASS_INVALID, "the class is '-1'"),
    ("b.jpg,3.5,1 2", Code.CLASS_INVALID, "the class is '3.5'"),
    ("b.jpg,three,1 2", Code.CLASS_INVALID, "the class is 'three'"),
    ("b.jpg,,1 2", Code.CLASS_INVALID, "the class is ''"),
    # the mask
    ("b.jpg,3,1 2 3", Code.RLE_ODD_COUNT, "the mask has 3 numbers"),
    ("b.jpg,3,0 2", Code.RLE_BAD_START, "starts at pixel 0"),
    ("b.jpg,3,-4 2", Code.RLE_BAD_START, "the start -4"),
    ("b.jpg,3,-1 -1", Code.RLE_BAD_START, "the start -1"),
    ("b.jpg,3,4 0", Code.RLE_BAD_LENGTH, "the length 0"),
    ("b.jpg,3,4 -2", Code.RLE_BAD_LENGTH, "the length -2"),
    ("b.jpg,3,9 2 5 2", Code.RLE_NOT_ASCENDING, "run 2 starts at pixel 5, before run 1"),
    ("b.jpg,3,1 2 x 4", Code.RLE_NOT_NUMBERS, "word 3 is 'x'"),
    ("b.jpg,3,1.5 2", Code.RLE_NOT_NUMBERS, "word 1 is '1.5'"),
    ("b.jpg,3,0x10 2", Code.RLE_NOT_NUMBERS, "word 1 is '0x10'"),
    ("b.jpg,3,1e3 2", Code.RLE_NOT_NUMBERS, "word 1 is '1e3'"),
    ('b.jpg,3,"1,2,5,6"', Code.RLE_NOT_NUMBERS, "word 1 is '1,2,5,6'"),
    ("b.jpg,3,1\0 2", Code.RLE_NOT_NUMBERS, "word 1 is '1\\x00'"),
    ("b.jpg,3,none", Code.RLE_NOT_NUMBERS, "word 1 is 'none'"),
    (f"b.jpg,3,1 {'9' * 30}", Code.RLE_OUT_OF_BOUNDS, "past any image"),
    ("c.jpg,3,384 2", Code.RLE_OUT_OF_BOUNDS, "run 1 ends at pixel 385, past the image's 384"),
    (f"b.jpg,3,{LONG_MASK} 7", Code.RLE_ODD_COUNT, "1000001 numbers"),
    (f"d.jpg,3,{LONG_MASK}", Code.RLE_OUT_OF_BOUNDS, "run 193 ends at pixel 385"),
    (f"b.jpg,3,{random_runs(1)}", Code.RLE_TOO_LONG, "the mask has 200000 runs"),
]


@pytest.fixture(scope="module", name="rejected_rows")
def reject_rows(tmp_path_factory: pytest.TempPathFactory) -> dict[int, dict[str, Any]]:
    """The records of a run on all bad rows, by line."""
    folder = tmp_path_factory.mktemp("rows")
    data = three_images(folder)
    write_images(data / "train_images", ["d.jpg"])
    text = csv_text(*(row for row, *_ in BAD_ROWS))
    (data / "train.csv").write_bytes(text.encode(errors="surrogateescape"))
    rejected = run(write_params(folder / "params.yaml", data), 3, f"{len(BAD_ROWS)} rejected (").rejected
    return {record["line"]: record for record in rejected}


@pytest.mark.parametrize("index", range(len(BAD_ROWS)), ids=lambda index: f"{BAD_ROWS[index][0][:24]!r}")
def test_a_bad_row_is_rejected_with_its_line(rejected_rows: dict[int, dict[str, Any]], index: int) -> None:
    row, code, words = BAD_ROWS[index]
    record = rejected_rows[3 + index]
    assert record["code"] == code.value
    assert words in record["message"]
    assert record["source"].endswith("train.csv")
    if code is Code.CSV_LINE_TOO_LONG and row.strip():
        assert (record["image_id"], record["class_id"]) == ("b.jpg", 3)


def test_a_bad_row_is_shown_with_file_line_and_image(tmp_path: Path) -> None:
    data = three_images(tmp_path)
    (data / "train.csv").write_text(csv_text("b.jpg,3,1 2 3", "c.jpg,3,384 2"))
    words = ["train.csv:3: b.jpg: the mask has 3 numbers", "(RLE_ODD_COUNT)", "train.csv:4: c.jpg: run 1 ends at pixel"]
    run(write_params(tmp_path / "params.yaml", data), 3, *words)


@pytest.mark.parametrize(
    ("content", "examples"),
    [
        (csv_text(ROWS[1]).encode("utf-8-sig"), 3),
        (csv_text(ROWS[1]).replace("\n", "\r\n").encode(), 3),
        (csv_text(ROWS[1]).rstrip("\n").encode(), 3),
        (csv_text("", ROWS[1], "  ", "\t", "").encode(), 3),
        (csv_text("b.jpg , 3 , 5 2  ").encode(), 3),
        (csv_text("b.jpg,3,5\t2\t9 1").encode(), 3),
        (csv_text('"b.jpg","3","5 2"').encode(), 3),
        (csv_text("b.jpg,3,5 9 6 1 7 9").encode(), 3),
        (csv_text(ROWS[1], ROWS[1], ROWS[0]).encode(), 5),
        (csv_text("b.jpg,3,-1", "b.jpg,3,-1").encode(), 4),
        (csv_text("b.jpg,3,", "b.jpg,3,NaN").encode(), 2),
        (csv_text("b.jpg,3,-1", "b.jpg,3,", "b.jpg,4,1 2").encode(), 3),
        (b"x,EncodedPixels,ClassId,y,ImageId\n1,5 2,3,,a.jpg\n,,3,,b.jpg\n", 1),
        (f"{ORIGINAL}\na.jpg_1,\na.jpg_3,1 2\nb.jpg_3,5 2\nb.jpg_4,\n".encode(), 2),
    ],
    ids=[
        "byte order mark",
        "CR LF",
        "no end",
        "blank lines",
        "blanks",
        "tabs",
        "quotes",
        "overlap",
        "same row again",
        "empty masks",
        "no mask",
        "no mask beside an empty one",
        "other columns",
        "original layout",
    ],
)
def test_an_odd_file_is_read(tmp_path: Path, content: bytes, examples: int) -> None:
    data = three_images(tmp_path)
    (data / "train.csv").write_bytes(content)
    assert run(write_params(tmp_path / "params.yaml", data), 0).examples == examples


@pytest.mark.parametrize("quote", ["", '"'])
def test_a_mask_of_five_megabytes_is_read(tmp_path: Path, quote: str) -> None:
    data = three_images(tmp_path)
    (data / "train_images" / "b.jpg").write_bytes(image_bytes(np.zeros((1000, 1000), np.uint8)))
    (data / "train.csv").write_text(csv_text(f"b.jpg,3,{quote}{LONG_MASK}{quote}"))
    assert run(write_params(tmp_path / "params.yaml", data), 0).examples == 3


@pytest.mark.parametrize(
    ("rows", "line"),
    [
        (["b.jpg,3,-1", "b.jpg,3,5 2"], 4),
        (["b.jpg,3,5 2", "b.jpg,3,-1"], 4),
        (["b.jpg,3,5 2", "b.jpg,3,9 1", "b.jpg,3,-1", "b.jpg,3,-1"], 5),
    ],
)
def test_rows_that_contradict_each_other_are_named_by_the_line_where_they_do(
    tmp_path: Path, rows: list[str], line: int
) -> None:
    data = three_images(tmp_path)
    (data / "train.csv").write_text(csv_text(*rows))
    words = [f"train.csv:{line}: b.jpg: {len(rows)} rows", "no defect (-1) and where it is", "1 ROWS_CONTRADICT"]
    run(write_params(tmp_path / "params.yaml", data), 3, *words)


def test_a_row_must_stand_in_one_line(tmp_path: Path) -> None:
    data = three_images(tmp_path)
    (data / "train.csv").write_text(csv_text('b.jpg,3,"5 2', '9 1"'))
    words = ["train.csv:3:", "a row must stand in one line", "train.csv:4:", "1 CSV_UNCLOSED_QUOTE"]
    run(write_params(tmp_path / "params.yaml", data), 3, *words)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "train.csv:1: the file is empty"),
        ("\n".join(ROWS).encode(), "train.csv:1: there is no header: the first line is a row (a.jpg,3,1 2)"),
        (b"ImageId,EncodedPixels\na.jpg,1 2\n", "no column 'ClassId'"),
        (b"ImageId,ClassId\na.jpg,3\n", "no column 'EncodedPixels'"),
        (b"ImageId,ClassId,ClassId,EncodedPixels\n", "2 columns 'ClassId'"),
        (csv_text().replace(",", ";").encode(), "train.csv:1: the columns are separated by semicolons, not commas"),
        (csv_text().encode("utf-16"), "train.csv: is in UTF-16, "),
        (csv_text().encode("utf-16-le"), "train.csv: is in UTF-16LE, "),
        (b"\xff\xfe\n", "train.csv: is in UTF-16, "),
        (b'"ImageId,ClassId\n', "quotes"),
        (bytes(1000), "train.csv: holds nothing but zero bytes"),
        (HEADER.encode(), "train.csv: there is no row after the header"),
        (HEADER.encode() + b",x" * 50_000 + b"\n", "the first line is longer than 65536 bytes"),
    ],
    ids=lambda value: str(value[:40]).replace("\\x00", "0"),
)
def test_a_file_without_a_header_is_refused_before_any_work(tmp_path: Path, content: bytes, words: str) -> None:
    data = three_images(tmp_path)
    (data / "train.csv").write_bytes(content)
    run(write_params(tmp_path / "params.yaml", data), 2, "train.csv:", words)


@pytest.mark.parametrize("make", [lambda path: None, Path.mkdir, os.mkfifo, lambda path: path.symlink_to("nowhere")])
def test_a_csv_file_that_is_none_is_refused_before_any_work(tmp_path: Path, make: Callable[[Path], object]) -> None:
    data = three_images(tmp_path)
    (data / "train.csv").unlink()
    make(data / "train.csv")
    run(write_params(tmp_path / "params.yaml", data), 2, "train.csv: there is no such CSV file")


@pytest.mark.parametrize(
    ("content", "status", "words"),
    [
        (b"no gzip", 2, ["train.csv.gz:1: the header has no column 'ImageId' (it has: no gzip)"]),
        (b"\x1f\x8bno gzip", 2, ["train.csv.gz: the compressed file is damaged", "copy it again"]),
        (gzip.compress(csv_text().encode())[:30], 2, ["the compressed file is damaged"]),
        (
            gzip.compress(csv_text(*[ROWS[1]] * 9999).encode())[:-9],
            1,
            ["the compressed file is damaged"],
        ),
        # 200 MB of zeros in a line, then two lines that show that lines are counted on.
        (
            gzip.compress(csv_text().encode()) + gzip.compress(bytes(10**7)) * 20 + gzip.compress(b"\nx\na.jpg,9,1 2"),
            3,
            ["train.csv.gz:4: the line has more than", "train.csv.gz:5: ", "train.csv.gz:6: a.jpg: the class is '9'"],
        ),
    ],
    ids=["no gzip", "only its mark", "cut off header", "cut off", "bomb"],
)
def test_a_bad_compressed_file_is_named(tmp_path: Path, content: bytes, status: int, words: list[str]) -> None:
    data = three_images(tmp_path)
    (data / "train.csv.gz").write_bytes(content)
    run(write_params(tmp_path / "params.yaml", data, maskmill={"csv": "train.csv.gz"}), status, *words)


def test_all_bad_rows_and_images_are_looked_for_before_giving_up(tmp_path: Path) -> None:
    rows = [f"{index:02}.jpg,3,1 2" for index in range(40)]
    data = write_dataset(tmp_path / "data", rows)
    bad = [row.replace(",3,1 2", ",9,1 2") if index % 4 == 0 else row for index, row in enumerate(rows)]
    (data / "train.csv").write_text("\n".join([HEADER, *bad]))
    for index in range(1, 40, 4):
        (data / "train_images" / f"{index:02}.jpg").unlink()
        (data / "train_images" / f"{index + 1:02}.jpg").write_bytes(b"")
    counts = ("10 IMAGE_EMPTY", "10 IMAGE_MISSING", "10 CLASS_INVALID", "… and 10 more")
    outcome = run(write_params(tmp_path / "params.yaml", data), 3, *counts)
    shown = sum(outcome.err.count(f"{code})") for code in ("IMAGE_EMPTY", "IMAGE_MISSING", "CLASS_INVALID"))
    assert shown == 20 + 1
    assert len(outcome.rejected) == 30


def test_a_class_without_rows_ends_the_run(tmp_path: Path) -> None:
    params = write_params(tmp_path / "params.yaml", three_images(tmp_path), eval_input={"class_id": 4})
    run(params, 1, "eval_input: no row of class 4 in", "set class_id")
