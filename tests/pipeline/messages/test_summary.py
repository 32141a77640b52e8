"""The summary of a run, as people read it."""

from __future__ import annotations

import dataclasses

import pytest

from maskmill.pipeline.messages.result import Result, Rows, Split
from maskmill.pipeline.messages.summary import describe_classes, summarise, warn_of_classes


def test_summary_is_for_people() -> None:
    split = Split(
        examples=3,
        classes={},
        negatives=0,
        bytes=2_500_000,
        shards={"written": 1, "kept": 0, "reused": 0},
        overlaps={"pixels": 0},
    )
    result = Result(
        path="out",
        published=True,
        rows=Rows(
            read=10,
            in_examples=4,
            filtered={"of another class": 6, "in no split": 0},
            rejected=3,
            merged=1,
            classes={},
        ),
        splits={"train_input": split},
        rejected={"CLASS_INVALID": 2, "IMAGE_EMPTY": 1},
        shared_images=1,
        notes={"rows with overlapping runs, which are united": 2, "another": 0},
        seconds=1.5,
        look="maskmill report out",
    )
    assert str(result).splitlines() == [
        "10 rows read, 4 of them in examples",
        "  6 filtered: of another class",
        "  1 merged with an earlier row of the same example",
        "3 rejected: 2 CLASS_INVALID, 1 IMAGE_EMPTY; they are listed in out/rejected.jsonl",
        "  note: rows with overlapping runs, which are united: 2",
        "train_input: 3 examples in 1 shard, 2.5 MB",
        "warning: 1 image in more than one split",
        "1.5 s, 2 examples a second",
        "the dataset is in out; to look at it: maskmill report out",
    ]
    assert "nothing to do: no shard has changed; 1.5 s" in summarise(dataclasses.replace(result, published=False))

    def with_states(**states: int) -> str:
        return summarise(dataclasses.replace(result, splits={"train_input": dataclasses.replace(split, shards=states)}))

    assert "1 of 2 shards are kept, the others are new; 1.5 s" in with_states(written=1, kept=1, reused=0)
    assert "2 of 2 shards are taken from an earlier dataset; 1.5 s" in with_states(written=0, kept=0, reused=2)
    assert "no shard has changed; the files beside them are new; 1.5 s" in with_states(written=0, kept=2, reused=0)


def rows_of_classes(read: int, classes: dict[str, int]) -> Rows:
    return Rows(read=read, in_examples=read, filtered={}, rejected=0, merged=0, classes=classes)


BY_CLASS = rows_of_classes(9, {"0": 8, "1": 1, "3": 0, "fish": 0})


@pytest.mark.parametrize(
    ("rows", "chosen", "lines"),
    [
        (BY_CLASS, ["1", "0"], ["  class 1: 1 row", "  class 0: 8 rows"]),
        (BY_CLASS, ["3"], ["  class 3: 0 rows"]),
        (rows_of_classes(9, {"ship": 9}), ["ship"], []),
        (rows_of_classes(9, {}), ["1"], []),  # as an earlier maskmill wrote it
    ],
)
def test_each_class_that_is_used_is_told_with_its_rows(rows: Rows, chosen: list[str], lines: list[str]) -> None:
    assert describe_classes(rows, chosen) == lines


@pytest.mark.parametrize(
    ("rows", "chosen", "warnings"),
    [
        (BY_CLASS, ["0", "1"], []),
        (
            BY_CLASS,
            ["1", "3", "fish"],
            ["no row is of class 3, fish, which class_id asks for; classes with rows: 0 (8 rows), 1 (1 row)"],
        ),
        (
            rows_of_classes(2, {"1": 0}),
            ["1"],
            ["no row is of class 1, which class_id asks for; classes with rows: none"],
        ),
        (rows_of_classes(0, {"1": 0}), ["1"], []),
        (rows_of_classes(9, {}), ["1"], []),
    ],
)
def test_a_class_without_a_row_is_most_likely_a_slip(rows: Rows, chosen: list[str], warnings: list[str]) -> None:
    assert warn_of_classes(rows, chosen) == warnings
