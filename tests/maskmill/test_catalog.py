"""The shards of a dataset, by what it says of itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from maskmill import DatasetError, format_version
from maskmill.catalog import Shard, find_split, find_splits
from maskmill.folder import folder_of
from maskmill.manifest import seal


def manifest(**changes: Any) -> dict[str, Any]:
    """Of a split of 12 shards, each of as many examples as its number."""
    paths = [(f"train_input/data-{number}_p0.h5", number) for number in range(12)]
    # In the order of their names, in which number 10 comes before number 2.
    shards = [{"file": path, "examples": number, "bytes": number} for path, number in sorted(paths)]
    rows = {"read": 66, "in_examples": 66, "filtered": {}, "rejected": 0}
    split = {"examples": 66, "bytes": 66, "shards": shards}
    return {"format_version": 1, "splits": {"train_input": split}, "files": {}, "rows": rows, **changes}


@pytest.fixture(name="root")
def write_dataset(tmp_path: Path) -> Path:
    """A dataset whose shards have the right sizes, and no content."""
    (tmp_path / "train_input").mkdir()
    for number in range(12):
        (tmp_path / "train_input" / f"data-{number}_p0.h5").write_bytes(bytes(number))
    (tmp_path / "manifest.json").write_bytes(seal(manifest()))
    return tmp_path


def shards_of(root: Path, split: str = "train_input") -> list[Shard]:
    return find_split(folder_of(str(root)), str(root), split).shards


def test_shards_come_in_the_order_of_their_numbers(root: Path) -> None:
    expected = [Shard(f"train_input/data-{number}_p0.h5", number, number) for number in range(12)]
    assert shards_of(root) == expected
    assert sorted(find_splits(folder_of(str(root)), str(root))["train_input"]) == sorted(expected)


def test_shards_of_an_original_come_from_its_lists_and_have_no_sizes(root: Path) -> None:
    (root / "manifest.json").unlink()
    lines = [f"C:\\out\\train_input\\data-{number}_p0.h5 {number}\n" for number in (10, 2, 0)]
    (root / "meta_train_input.dat").write_text("".join(lines))
    for number in {*range(12)} - {0, 2, 10}:
        (root / "train_input" / f"data-{number}_p0.h5").unlink()
    assert shards_of(root) == [Shard(f"train_input/data-{number}_p0.h5", number, None) for number in (0, 2, 10)]


def remove_shards(root: Path) -> None:
    for number in (3, 4, 5):
        (root / "train_input" / f"data-{number}_p0.h5").unlink()


def write(content: dict[str, Any]) -> Callable[[Path], object]:
    return lambda root: (root / "manifest.json").write_bytes(seal(content))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (remove_shards, "/train_input/data-3_p0.h5: is missing, and 2 more like that; copy the dataset again, or make"),
        (lambda root: (root / "train_input/data-5_p0.h5").write_bytes(b""), "data-5_p0.h5: has 0 bytes instead of 5;"),
        (write(manifest(rows={"read": 1, "in_examples": 0, "filtered": {}, "rejected": 0})), "1 rows were read, and 0"),
        (write(manifest(format_version=format_version.highest_format() + 1)), "and this maskmill knows none above"),
        (write({}), "/manifest.json is damaged ("),
        (lambda root: (root / "manifest.json").write_text("{}"), "is damaged (it was changed after it was written)"),
        (lambda root: (root / "manifest.json").unlink(), "no dataset in "),
        (
            lambda root: (root / "manifest.json").rename(root / "rejected.jsonl"),
            "has no manifest.json, which maskmill writes last",
        ),
    ],
    ids=["missing", "size", "sums", "later version", "nothing in it", "edited", "no manifest", "unfinished"],
)
def test_a_dataset_that_is_not_whole_is_refused(root: Path, damage: Callable[[Path], object], message: str) -> None:
    damage(root)
    with pytest.raises(DatasetError) as caught:
        shards_of(root)
    assert str(root) in str(caught.value)
    assert message in str(caught.value)


def test_a_split_that_is_not_there_is_told_with_those_that_are(root: Path) -> None:
    with pytest.raises(DatasetError, match=r"has no split eval_input; it has train_input$"):
        shards_of(root, "eval_input")


@pytest.mark.parametrize(("path", "place"), [("a/x-7_p2.h5", (2, 7)), ("a/x-10_p0.h5", (0, 10)), ("a/x.h5", (0, 0))])
def test_the_place_of_a_shard_stands_in_its_name(path: str, place: tuple[int, int]) -> None:
    assert Shard(path, 1, None).place == place
