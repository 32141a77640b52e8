"""Tests of the header of a CSV file, and of the splitting of lines."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskmill.transforms.annotations.columns import SEPARATORS, Columns, RowFormat, parse_header, split_fields
from maskmill.transforms.rejected import Code, DataError

NAMES = RowFormat()


@pytest.mark.parametrize(
    ("line", "columns"),
    [
        ("ImageId,ClassId,EncodedPixels", Columns(0, 1, 2, None, 3, NAMES)),
        ('\ufeff"ImageId",\ufeffClassId,EncodedPixels', Columns(0, 1, 2, None, 3, NAMES)),
        ("\ufeffImageId,ClassId,EncodedPixels", Columns(0, 1, 2, None, 3, NAMES)),
        ("EncodedPixels,more,ImageId,ClassId", Columns(2, 3, 0, None, 4, NAMES)),
        ('"ImageId", ClassId ,"EncodedPixels"', Columns(0, 1, 2, None, 3, NAMES)),
        ("ImageId_ClassId,EncodedPixels", Columns(0, 0, 1, None, 2, NAMES)),
        ("more,EncodedPixels,ImageId_ClassId", Columns(2, 2, 1, None, 3, NAMES)),
    ],
)
def test_header_tells_the_layout_and_the_order_of_columns(line: str, columns: Columns) -> None:
    assert parse_header(line, NAMES) == columns


def test_columns_may_have_other_names() -> None:
    form = RowFormat("file", "kind", "rle")
    assert parse_header("file,kind,rle", form) == Columns(0, 1, 2, None, 3, form)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("", "no column 'ImageId'"),
        ("ImageId,EncodedPixels", "no column 'ClassId'"),
        ("ImageId,ClassId,Pixels", "no column 'EncodedPixels'"),
        ("ImageId,ImageId,ClassId,EncodedPixels", "2 columns 'ImageId'"),
        ("0002cc93b.jpg,1,29102 12", "it has: 0002cc93b.jpg, 1, 29102 12"),
    ],
)
def test_header_without_a_needed_column_is_refused(line: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        parse_header(line, NAMES)


def test_rows_without_a_class_need_no_column_of_it() -> None:
    form = RowFormat(class_id=None, classes=("defect",))
    assert form.names == ["ImageId", "EncodedPixels"]
    assert form.image_and_class == ""
    assert parse_header("ImageId,EncodedPixels", form) == Columns(0, None, 1, None, 2, form)


def test_a_column_without_a_name_is_none_that_is_needed() -> None:
    form = RowFormat(class_id=None, classes=("defect",))
    assert parse_header(",ImageId,EncodedPixels", form) == Columns(1, None, 2, None, 3, form)
    assert parse_header(",ImageId,ClassId,EncodedPixels", NAMES) == Columns(1, 2, 3, None, 4, NAMES)


@pytest.mark.parametrize("separator", SEPARATORS.values(), ids=SEPARATORS)
def test_fields_may_be_separated_by_another_character(separator: str) -> None:
    form = RowFormat(separator=separator)
    assert parse_header(f'ImageId{separator}"ClassId"{separator}EncodedPixels', form) == Columns(0, 1, 2, None, 3, form)
    assert split_fields(f'a{separator}"b{separator}c"', separator) == ["a", f"b{separator}c"]


def test_the_column_of_the_group_is_found() -> None:
    form = RowFormat(group="Coil")
    assert parse_header("Coil,ImageId,ClassId,EncodedPixels", form) == Columns(1, 2, 3, 0, 4, form)
    with pytest.raises(ValueError, match="no column 'Coil'"):
        parse_header("ImageId,ClassId,EncodedPixels", form)


@given(st.lists(st.text(st.characters(blacklist_characters="\r\n\0", blacklist_categories=["Cs"])), min_size=1))
def test_fields_are_those_that_a_csv_writer_was_given(fields: list[str]) -> None:
    stream = io.StringIO()
    csv.writer(stream, lineterminator="").writerow(fields)
    assert split_fields(stream.getvalue()) == fields


def test_a_quote_that_is_not_closed_is_an_error_of_the_line() -> None:
    with pytest.raises(DataError, match="quotes of the line do not match") as caught:
        split_fields('a.jpg,3,"1 2')
    assert caught.value.code is Code.CSV_UNCLOSED_QUOTE
