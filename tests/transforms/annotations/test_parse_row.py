"""Tests of the parsing of CSV lines."""

from __future__ import annotations

import pytest

from maskmill.transforms.annotations.columns import Columns, RowFormat, parse_header
from maskmill.transforms.annotations.parse_row import parse_row, split_lines
from maskmill.transforms.annotations.records import NO_CLASS
from maskmill.transforms.examples.rle import EMPTY_RUNS, unpack_runs
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


NUTS = RowFormat(classes=("nut", "hex_nut", "_x", "x", "0"))
JOINED = parse_header("ImageId_ClassId,EncodedPixels", NUTS)


@pytest.mark.parametrize(
    ("field", "image_id", "class_id"),
    [
        ("img_7.png_hex_nut", "img_7.png", 2),
        ("img_7.png_nut", "img_7.png", 1),
        ("hex_nut", "hex", 1),
        ("_hex_nut", "_hex", 1),
        ("__hex_nut", "_", 2),
        ("a.png__x", "a.png", 3),
        ("a.png_x", "a.png", 4),
        ("a.png___x", "a.png_", 3),
        (" a b.png_hex_nut ", "a b.png", 2),
        ("nut_nut", "nut", 1),
        ("a_0", "a", 5),
        ("__x", "_", 4),
    ],
)
def test_a_joined_field_ends_in_the_longest_class_that_leaves_an_image(
    field: str, image_id: str, class_id: int
) -> None:
    row = parse_row(f"{field},5 2".encode(), JOINED)
    assert (row.image_id, row.class_id) == (image_id, class_id)


@pytest.mark.parametrize(
    ("field", "code", "words"),
    [
        ("_nut", Code.IMAGE_ID_INVALID, "'_nut' does not name an image and, after a _, its class"),
        ("nut", Code.IMAGE_ID_INVALID, "'nut' does not name an image and, after a _, its class; write both"),
        ("", Code.IMAGE_ID_INVALID, "'' does not name an image; it must be a file name"),
        ("a.png_hex", Code.CLASS_INVALID, "the class is 'hex'; it must be nut, hex_nut, _x, x or 0"),
        ("a.png_Nut", Code.CLASS_INVALID, "the class is 'Nut'"),
    ],
)
def test_a_joined_field_without_image_or_class_is_refused(field: str, code: Code, words: str) -> None:
    with pytest.raises(DataError) as caught:
        parse_row(f"{field},5 2".encode(), JOINED)
    assert caught.value.code is code
    assert words in caught.value.message


NO_CLASSES = ["", "  ", "NaN", "None", "NULL", "na", "N/A", "<NA>", "-", "0", "0.0", "-1", "-1.0", "background"]


@pytest.mark.parametrize("text", NO_CLASSES)
@pytest.mark.parametrize("mask", ["", "nan", "-1"])
def test_a_row_without_class_and_mask_is_of_an_image_without_a_defect(text: str, mask: str) -> None:
    rows = [parse_row(f"a.jpg,{text},{mask}".encode(), PRESENT, frozenset({3}))]
    if text.strip():
        rows.append(parse_row(f"a.jpg_{text},{mask}".encode(), ORIGINAL))
    for row in rows:
        assert (row.image_id, row.class_id) == ("a.jpg", NO_CLASS)
        assert row.runs == (EMPTY_RUNS if mask == "-1" else None)


@pytest.mark.parametrize("text", NO_CLASSES)
def test_a_row_with_a_mask_needs_a_class(text: str) -> None:
    with pytest.raises(DataError, match=r"the class is .* and the row has a mask; it must be 1, 2, 3 or 4$") as caught:
        parse_row(f"a.jpg,{text},5 2".encode(), PRESENT)
    assert (caught.value.code, caught.value.image_id) == (Code.CLASS_INVALID, "a.jpg")


def test_a_class_that_stands_for_none_may_be_declared() -> None:
    columns = parse_header("ImageId,ClassId,EncodedPixels", RowFormat(classes=("0", "background")))
    assert [parse_row(f"a.jpg,{name},".encode(), columns).class_id for name in ("0", "background", "")] == [1, 2, 0]


@pytest.mark.parametrize("text", ["3.5", "x", "00", "no"])
def test_other_classes_are_wrong_without_a_mask_as_well(text: str) -> None:
    with pytest.raises(DataError, match=f"the class is '{text}'; it must be 1, 2, 3 or 4$"):
        parse_row(f"a.jpg,{text},".encode(), PRESENT)


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
        (b"a.jpg;3;1 2", Code.CSV_FIELD_COUNT, "it is separated by semicolons; separate its fields with commas"),
        (b"a.jpg\t3\t1 2", Code.CSV_FIELD_COUNT, "it is separated by tabs"),
        (b"a.jpg|3|1 2", Code.CSV_FIELD_COUNT, "it is separated by pipes"),
        (b'"a.jpg,3,1 2"', Code.CSV_FIELD_COUNT, "the whole line is in quotes"),
        (b"a.jpg,3,1 2\rb.jpg,3,1 2", Code.CSV_FIELD_COUNT, "(CR alone); save the file with LF"),
        (b"a.jpg,3\0", Code.CSV_FIELD_COUNT, "it holds zero bytes"),
        (b"a.jpg,3,1 2,", Code.CSV_FIELD_COUNT, "4 fields, the header 3; quote a field that contains a comma"),
        (b"a.jpg,3", Code.CSV_FIELD_COUNT, "2 fields, the header 3; complete the line"),
        ("bl\u00e9ch.jpg,3,1 2".encode("cp1252"), Code.CSV_NOT_UTF8, "perhaps Windows-1252 (bl\u00e9ch.jpg,3,1 2)"),
        (b"ImageId,ClassId,EncodedPixels", Code.CSV_FILES_JOINED, "the line repeats the header"),
        (b'"EncodedPixels","ClassId","ImageId","x"', Code.CSV_FILES_JOINED, "the line repeats the header"),
        (b"\xef\xbb\xbfImageId,ClassId,EncodedPixels", Code.CSV_FILES_JOINED, "the line repeats the header"),
        (b"ImageId_ClassId,EncodedPixels", Code.CSV_FILES_JOINED, "the line repeats the header"),
        (b"\xef\xbb\xbfa.jpg,3,1 2", Code.CSV_FILES_JOINED, "the line begins with a byte order mark"),
        (b"a.jpg,3," + b"1 2 " * 8191 + b"1 3", Code.RLE_CUT_OFF, "exactly 32767 characters"),
        (b"a.jpg,3,1.00E+05 2", Code.RLE_NOT_NUMBERS, "a spreadsheet has rounded a number"),
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
        (b"\xef\xbb\xbfa.jpg,3,1 2", PRESENT, "a.jpg", 3),
        (b"a.png_hex_nut,1 2 3", JOINED, "a.png", 2),
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


def test_the_fields_of_a_row_are_separated_as_in_the_header() -> None:
    columns = parse_header("ImageId;ClassId;EncodedPixels", RowFormat(separator=";"))
    row = parse_row(b'"a;b.jpg";3;5 2', columns)
    assert (row.image_id, row.class_id) == ("a;b.jpg", 3)
    with pytest.raises(DataError, match="it is separated by commas; separate its fields with semicolons"):
        parse_row(b"a.jpg,3,1 2", columns)


def test_lines_end_with_lf_or_crlf() -> None:
    assert list(split_lines(b"a\r\nb\n\nc")) == [b"a", b"b", b"", b"c"]
