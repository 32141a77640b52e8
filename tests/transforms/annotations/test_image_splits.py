"""Tests of the CSV file with the split of each image."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from apache_beam.testing.util import assert_that, equal_to

from maskmill.names import is_split_name
from maskmill.transforms.annotations.image_values import SPLITS, ValueFileError, parse_split, parse_values
from maskmill.transforms.annotations.read_image_values import ReadImageValues
from tests.support.builders import in_process


@pytest.mark.parametrize(
    ("field", "split"),
    [
        ("train_input", "train_input"),
        ("train", "train_input"),
        ("test2", "test2_input"),
        ("Val", "Val_input"),
        ("0", "fold_0"),
        ("12", "fold_12"),
        ("3.0", "fold_3"),
        ("007", "fold_7"),
        ("fold_3", "fold_3"),
        ("Fold 3", "fold_3"),
        ("fold3", "fold_3"),
    ],
)
def test_a_field_names_a_section_or_a_fold(field: str, split: str) -> None:
    assert parse_split(field) == split
    assert is_split_name(split)


@pytest.mark.parametrize("field", ["", "-1", "1.5", "../x", "a b", "_input", "-", "tr\u00e4in"])
def test_a_field_that_names_none_is_refused(field: str) -> None:
    with pytest.raises(ValueError, match="it must be the name of a section, such as train_input or train, or the num"):
        parse_split(field)


@pytest.mark.parametrize(
    "text",
    [
        b"ImageId,split\na.jpg,train\nb.jpg,fold_1\n",
        b",fold,ImageId\r\n0,train_input,a.jpg\r\n1,1,b.jpg\r\n",
        b"\xef\xbb\xbfImageId;fold;split\na.jpg;0;train\nb.jpg;0;1.0\n",
    ],
)
def test_the_header_says_where_image_and_split_are(text: bytes) -> None:
    assert parse_values(text, "splits.csv", SPLITS) == {"a.jpg": "train_input", "b.jpg": "fold_1"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            b"ImageId,fold,fold\n",
            "splits.csv:1: the first line must name the columns ImageId,split or fold, each once; ",
        ),
        (
            b"ImageId,split\n\na.jpg,\n",
            "splits.csv:3: the split of a.jpg is ''; it must be the name of a section, such",
        ),
        (
            b"ImageId,split\na.jpg,1\nb.jpg,1\na.jpg,train\n",
            "splits.csv:4: a.jpg is in the split 'train_input' here, and in 'fold_1' in line 2; an image is in one",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_line(text: bytes, words: str) -> None:
    with pytest.raises(ValueFileError, match=f"^{re.escape(words)}"):
        parse_values(text, "splits.csv", SPLITS)


def test_a_split_counts_for_the_images_of_every_folder(tmp_path: Path) -> None:
    path = tmp_path / "splits.csv"
    path.write_text("ImageId,split\na,7\n")
    with in_process() as pipeline:
        splits = pipeline | ReadImageValues(column=SPLITS, path=str(path), image_suffix=".png", folders=2)
        assert_that(splits, equal_to([((0, "a.png"), "fold_7"), ((1, "a.png"), "fold_7")]))
