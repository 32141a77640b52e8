"""Tests of the CSV file with the group of each image."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from apache_beam.testing.util import assert_that, equal_to

from maskmill.transforms.annotations.image_values import GROUPS, ValueFileError, parse_values
from maskmill.transforms.annotations.read_image_values import ReadImageValues
from tests.support.builders import in_process


@pytest.mark.parametrize(
    "text",
    [
        b"ImageId,group\na.jpg,7\nb.jpg,8\n",
        b"group,other,ImageId\n7,x,a.jpg\n8,,b.jpg",
        b"\xef\xbb\xbfImageId;group\r\n a.jpg ; 7 \r\n\r\nb.jpg;8\r\na.jpg;7\r\n",
        b'ImageId\tgroup\n"a.jpg"\t"7"\nb.jpg\t8\n',
    ],
)
def test_the_header_says_where_image_and_group_are(text: bytes) -> None:
    assert parse_values(text, "groups.csv", GROUPS) == {"a.jpg": "7", "b.jpg": "8"}


def test_names_without_the_suffix_of_the_rows_are_those_of_the_files() -> None:
    text = b"ImageId,group\na,7\nb.png,8\n"
    assert parse_values(text, "groups.csv", GROUPS, ".png") == {"a.png": "7", "b.png": "8"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"", "groups.csv:1: the first line must name the columns ImageId,group, each once; it has: nothing"),
        (b"a.jpg,7\n", "groups.csv:1: the first line must name the columns ImageId,group, each once; it has: a.jpg,7"),
        (b"ImageId,group,group\n", "groups.csv:1: the first line must name"),
        (b"ImageId,group\na.jpg\n", "groups.csv:2: the line has 1 fields, the header 2; correct the line"),
        (
            b"ImageId,group\n\nx/a.jpg,7\n",
            "groups.csv:3: 'x/a.jpg' is no file name; give the name of a file, not a path",
        ),
        (b"ImageId,group\na.jpg,\n", "groups.csv:2: the group of a.jpg is ''; it must have from 1 to 1024 bytes"),
        (b"ImageId,group\na.jpg,K\xf6ln\n", "groups.csv:2: the line is not UTF-8; save the file as UTF-8"),
        (b'ImageId,group\na.jpg,"7\n', "groups.csv:2: the quotes of the line do not match"),
        (b"PK\x03\x04 and so on", "groups.csv: is a zip archive, not a CSV file; give a CSV file"),
        (
            b"ImageId,group\na.jpg,7\nb.jpg,7\na.jpg,8\n",
            "groups.csv:4: a.jpg is in the group '8' here, and in '7' in line 2; an image is in one group",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_line(text: bytes, words: str) -> None:
    with pytest.raises(ValueFileError, match=f"^{re.escape(words)}"):
        parse_values(text, "groups.csv", GROUPS)


def test_a_group_counts_for_the_images_of_every_folder(tmp_path: Path) -> None:
    path = tmp_path / "groups.csv"
    path.write_text("ImageId,group\na.jpg,7\n")
    with in_process() as pipeline:
        groups = pipeline | ReadImageValues(column=GROUPS, path=str(path), image_suffix="", folders=2)
        assert_that(groups, equal_to([((0, "a.jpg"), "7"), ((1, "a.jpg"), "7")]))
