"""Tests of the parsing of CSV lines."""

from __future__ import annotations

import pytest

from maskmill.transforms.annotations.columns import Columns, RowFormat, parse_header
from maskmill.transforms.annotations.parse_row import parse_row, split_lines
from maskmill.transforms.examples.rle import unpack_runs
from maskmill.transforms.rejected import Code, DataError

NAMES = RowFormat()
HEADER = "ImageId,ClassId,EncodedPixels"
PRESENT = parse_header(HEADER, NAMES)
ORIGINAL = parse_header("ImageId_ClassId,EncodedPixels", NAMES)


@pytest.mark.parametrize(
    ("line", "columns", "image_id", "class_id"),
    [
        (b"a.jpg,3,5 2", PRESENT, "a.jpg", 3),
        (b'"a.jpg","3","5 2"', PRESENT, "a.jpg", 3),
        (b'"a, b.jpg",3,5 2', PRESENT, "a, b.jpg", 3),
        (b" a.jpg , 3 , 5 2 ", PRESENT, "a.jpg", 3),
        (b"a.jpg_4,5 2", ORIGINAL, "a.jpg", 4),
        (b"a_b.jpg_1,5 2", ORIGINAL, "a_b.jpg", 1),
        ("bléch.jpg,3,5 2".encode(), PRESENT, "bléch.jpg", 3),
        (b"a.jpg,3.0,5 2", PRESENT, "a.jpg", 3),
        (b"a.jpg_3.0,5 2", ORIGINAL, "a.jpg", 3),
        (b"a.jpg,1.0,5 2", parse_header(HEADER, NAMES._replace(classes=("1", "1.0"))), "a.jpg", 2),
    ],
)
def test_row_is_read_in_either_layout(line: bytes, columns: Columns, image_id: str, class_id: int) -> None:
    row = parse_row(line, columns)
    assert (row.image_id, row.class_id) == (image_id, class_id)
    assert row.runs is not None
    assert unpack_runs(row.runs).tolist() == [[5, 2]]


@pytest.mark.parametrize("text", [b"", b"  ", b"nan", b"NaN", b'""'])
def test_no_mask_is_told_from_an_empty_one(text: bytes) -> None:
    assert parse_row(b"a.jpg,3," + text, PRESENT).runs is None
    empty = parse_row(b"a.jpg,3,-1", PRESENT).runs
    assert empty is not None
    assert unpack_runs(empty).shape == (0, 2)


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        (b"a.jpg,0,1 2", Code.CLASS_INVALID, "the class is '0'"),
        (b"a.jpg,5,1 2", Code.CLASS_INVALID, "the class is '5'"),
        (b"a.jpg,three,1 2", Code.CLASS_INVALID, "the class is 'three'"),
        (b"a.jpg,3.5,1 2", Code.CLASS_INVALID, "the class is '3.5'"),
        (b"a.jpg,5.0,1 2", Code.CLASS_INVALID, "the class is '5.0'"),
        (b"a.jpg,,1 2", Code.CLASS_INVALID, "the class is ''"),
        (b"a.jpg,3", Code.CSV_FIELD_COUNT, "2 fields, the header 3"),
        (b"a.jpg,3,1,2", Code.CSV_FIELD_COUNT, "4 fields, the header 3"),
        (b'a.jpg,3,"1 2', Code.CSV_UNCLOSED_QUOTE, "quotes"),
        (b"a\xff.jpg,3,1 2", Code.CSV_NOT_UTF8, "not UTF-8"),
        (b",3,1 2", Code.IMAGE_ID_INVALID, "does not name an image"),
        (b"a\0.jpg,3,1 2", Code.IMAGE_ID_INVALID, "does not name an image"),
        (b"../a.jpg,3,1 2", Code.IMAGE_ID_INVALID, "must be a file name, not a path"),
        (b"/a.jpg,3,1 2", Code.IMAGE_ID_INVALID, "must be a file name, not a path"),
        (rb"x\a.jpg,3,1 2", Code.IMAGE_ID_INVALID, "must be a file name, not a path"),
        (b"..,3,1 2", Code.IMAGE_ID_INVALID, "must be a file name, not a path"),
        (b".,3,1 2", Code.IMAGE_ID_INVALID, "must be a file name, not a path"),
        (b"a.jpg,3,1 2 3", Code.RLE_ODD_COUNT, "3 numbers"),
    ],
)
def test_bad_row_is_refused_with_its_reason(line: bytes, code: Code, words: str) -> None:
    with pytest.raises(DataError) as caught:
        parse_row(line, PRESENT)
    assert caught.value.code is code
    assert words in caught.value.message


@pytest.mark.parametrize(
    ("line", "columns", "image_id", "class_id"),
    [
        (b"a.jpg,3,1 2 3", PRESENT, "a.jpg", 3),
        (b"a.jpg,3,1,2", PRESENT, "a.jpg", 3),
        (b"a.jpg,3", PRESENT, "a.jpg", 3),
        (b"a.jpg,7,1 2", PRESENT, "a.jpg", None),
        (b"a.jpg", PRESENT, "", None),
        (b'a.jpg,3,"1 2', PRESENT, "", None),
        (b"a.jpg,3,\xff", PRESENT, "a.jpg", 3),
        (b"a\xff.jpg,3,1 2", PRESENT, "a\ufffd.jpg", 3),
        (b"a\0\x1b.jpg,3,1 2", PRESENT, "a\0\x1b.jpg", 3),
        (b"../a.jpg,3,1 2", PRESENT, "../a.jpg", 3),
        (b"a" * 100 + b",3,1 2 3", PRESENT, "a" * 100, 3),
        (b"a.jpg_4,1 2 3", ORIGINAL, "a.jpg", 4),
        (b"a.jpg,1 2", ORIGINAL, "", None),
    ],
)
def test_bad_row_says_what_it_gives_of_image_and_class(
    line: bytes, columns: Columns, image_id: str, class_id: int | None
) -> None:
    with pytest.raises(DataError) as caught:
        parse_row(line, columns)
    assert (caught.value.image_id, caught.value.class_id) == (image_id, class_id)


def test_a_quoted_field_may_be_long() -> None:
    row = parse_row(b'a.jpg,3,"' + b"1 2 " * 2**17 + b'"', PRESENT)
    assert row.runs is not None
    assert len(unpack_runs(row.runs)) == 2**17


def test_original_layout_needs_a_class_behind_the_image() -> None:
    with pytest.raises(DataError) as caught:
        parse_row(b"a.jpg,1 2", ORIGINAL)
    assert caught.value.code is Code.IMAGE_ID_INVALID


def test_lines_end_with_lf_or_crlf() -> None:
    assert list(split_lines(b"a\r\nb\n\nc")) == [b"a", b"b", b"", b"c"]
