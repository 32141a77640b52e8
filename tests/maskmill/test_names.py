"""Names are parsed as they are formatted, and nothing else is taken for them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskmill import names
from maskmill.names import ShardName

FILE_NAMES = st.text(st.characters(exclude_characters="/\\", exclude_categories=("Cs",)), min_size=1)
INDICES = st.integers(0, 10**6)


@given(FILE_NAMES, INDICES, INDICES)
def test_a_shard_file_is_parsed_as_it_is_formatted(name: str, number: int, range_: int) -> None:
    file = ShardName(name, number, range_)
    assert names.parse_shard_name(str(file)) == file
    assert names.parse_shard_name(names.shard_path("train_input", str(file))) == file


@pytest.mark.parametrize("name", ["", "data.h5", "data-1.h5", "data-1_p0.h5.tmp", "data-x_p0.h5", "-1_p0.h5"])
def test_other_files_are_not_shards(name: str) -> None:
    assert names.parse_shard_name(name) is None


@given(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_]*_input", fullmatch=True))
def test_a_meta_file_is_parsed_as_it_is_formatted(split: str) -> None:
    assert names.parse_meta_file(names.meta_file(split)) == split


@pytest.mark.parametrize("name", ["meta_.dat", "meta_train_input.dat.attempt", "manifest.json"])
def test_other_files_are_not_meta_files(name: str) -> None:
    assert names.parse_meta_file(name) is None


@pytest.mark.parametrize("folder", ["out/train_input", "/data/day 1/train_input", "C:\\data\\train_input"])
def test_a_meta_line_is_parsed_as_it_is_formatted_on_any_machine(folder: str) -> None:
    separator = "\\" if "\\" in folder else "/"
    line = names.meta_line(f"{folder}{separator}data-0_p0.h5", 12)
    assert names.parse_meta_line(line.rstrip("\n")) == ("data-0_p0.h5", 12)


@pytest.mark.parametrize("line", ["", "data-0_p0.h5", "data-0_p0.h5 x", "out/train_input/ 3"])
def test_another_line_is_not_a_meta_line(line: str) -> None:
    assert names.parse_meta_line(line) is None


@pytest.mark.parametrize(
    "path",
    ["data-0_p0.h5", "../data-0_p0.h5", "./data-0_p0.h5", "a/b/data-0_p0.h5", "/data-0_p0.h5", "a/manifest.json"],
)
def test_a_path_that_is_not_of_a_shard_is_refused(path: str) -> None:
    assert not names.is_shard_path(path)


def test_a_staged_shard_stands_in_the_folder_of_its_split() -> None:
    path = names.shard_path("train_input", "data-0_p0.h5")
    assert names.is_shard_path(path)
    assert names.split_of(path) == "train_input"
    staged = names.staged_path(path, "0123456789abcdef" * 4)
    assert staged == "train_input/0123456789abcdef-data-0_p0.h5"
    assert names.is_record(names.record_path(staged))
    assert not names.is_record(staged)
