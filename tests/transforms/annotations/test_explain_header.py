"""Tests of what is said of the first lines of a file that do not name the columns."""

from __future__ import annotations

import pytest

from maskmill.transforms.annotations.columns import RowFormat
from maskmill.transforms.annotations.explain_header import explain_header

HEADER = "ImageId,ClassId,EncodedPixels"
ROW = "a.jpg,3,1 2"
ADD = "put the names of the columns there, "


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file is empty"),
        ("\ufeff\n \r\n", "the file holds nothing but blanks"),
        (
            f"{HEADER}\r{ROW}\r",
            "the lines end in CR alone, as old programs for the Mac save them; save the file with LF",
        ),
        (f"#{HEADER}\n", "the header begins with the mark of a comment; remove it"),
        (HEADER.replace(",", ";"), "the columns are separated by semicolons, not commas; save it with commas, or set"),
        (HEADER.replace(",", "\t"), "the columns are separated by tabs, not commas; save it with commas, or set"),
        ("ImageId|ClassId\n", "the columns are separated by pipes, not commas; save it with commas, or set"),
        (f"\n{HEADER}\n", "the first line is not the header but ''; remove what stands before the header"),
        (f"Masks of a day\n\n{HEADER}\n", "the first line is not the header but 'Masks of a day'; remove"),
        (f'"{HEADER}"\n', "the whole line is in quotes, as one field; put none, or each field alone, into quotes"),
        (f"{HEADER},ClassId\n", "the header has 2 columns 'ClassId'"),
        ("x\x1b,y\n", "the header has no column 'ImageId' (it has: x?, y); the first line must name ImageId,ClassId,"),
        ("# a\n# b\n", "the header has no column 'ImageId' (it has: # a)"),
    ],
)
def test_the_cause_is_named(text: str, message: str) -> None:
    assert explain_header(text, RowFormat(), "").startswith(message)


def test_several_causes_are_named_in_the_order_in_which_they_are_mended() -> None:
    text = "sep=;\nimageid;ClassId;EncodedPixels\n"
    separator, _, names, mend, before = explain_header(text.replace("=;", "="), RowFormat(), "").split("; ", 4)
    assert separator == "the columns are separated by semicolons, not commas"
    assert names.startswith("the header has no column 'ImageId'")
    assert mend == "did you mean 'imageid'? Set maskmill.image_column: imageid"
    assert before == "the first line is not the header but 'sep='; remove what stands before the header"


@pytest.mark.parametrize(
    ("row", "names"),
    [
        (ROW, HEADER),
        ("a.jpg_3,1 2", "ImageId_ClassId,EncodedPixels"),
        ("1 2,a.jpg,3", "EncodedPixels,ImageId,ClassId"),
        ("0,a.jpg,3,1 2", "column_1,ImageId,ClassId,EncodedPixels"),
        ("a.jpg,3,", HEADER),
        ("a.jpg,3,-1", HEADER),
        ("7,3,1 2", "ImageId,ClassId,EncodedPixels"),
        ("a.jpg;3;1 2", "ImageId;ClassId;EncodedPixels"),
    ],
)
def test_a_row_in_place_of_the_header_is_told_with_the_header_to_put_there(row: str, names: str) -> None:
    message = explain_header(f"{row}\n{row}\n", RowFormat(), "")
    assert f"there is no header: the first line is a row ({row})" in message
    assert message.endswith(f"{ADD}{names}")


def test_the_header_to_put_there_has_the_columns_that_are_needed() -> None:
    form = RowFormat("file", None, "rle", ("defect",))
    assert explain_header("a.jpg,1 2\n", form, "").endswith(f"{ADD}file,rle")
    form = RowFormat(group="Coil")
    assert explain_header("a.jpg,3,1 2,c7\n", form, "").endswith(f"{ADD}{HEADER},Coil")


def test_a_key_that_does_not_suit_is_removed() -> None:
    message = explain_header(f"{HEADER}\n", RowFormat(separator=";"), "")
    assert message == "the columns are separated by commas, not semicolons; remove maskmill.separator"
