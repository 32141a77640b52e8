"""The summary of a run, as people read it."""

from __future__ import annotations

import dataclasses

import pytest

from maskmill.pipeline.messages.result import Result, Rows, Split
from maskmill.pipeline.messages.summary import (
    describe_classes,
    summarise,
    warn_of_classes,
    warn_of_different_masks,
    warn_of_empty_shards,
)
from maskmill.transforms.tallies import OTHER_MASK, note_of

SPLIT = Split(
    examples=3,
    classes={"1": 2, "fish": 1},
    negatives=1,
    bytes=2_500_000,
    shards={"written": 9, "kept": 0, "reused": 0},
    reasons={"new": 9},
    overlaps={"pixels": 0},
)
RESULT = Result(
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
    splits={"train_input": SPLIT},
    rejected={"CLASS_INVALID": 2, "IMAGE_EMPTY": 1},
    shared_images=1,
    notes={"rows with overlapping runs, which are united": 2, "another": 0},
    seconds=1.5,
    look="maskmill report out",
)


def test_summary_is_for_people() -> None:
    assert str(RESULT).splitlines() == [
        "10 rows read, 4 of them in examples",
        "  6 filtered: of another class",
        "  1 merged with an earlier row of the same example",
        "3 rejected: 2 CLASS_INVALID, 1 IMAGE_EMPTY; they are listed in out/rejected.jsonl",
        "  note: rows with overlapping runs, which are united: 2",
        "train_input: 3 examples in 9 shards, 2.5 MB",
        "  2 of class 1, 1 of class fish, 1 without a defect",
        "  9 shards written (new)",
        "warning: 1 image in more than one split",
        "1.5 s, 2 examples a second",
        "the dataset is in out; to look at it: maskmill report out",
    ]


def test_a_run_that_had_nothing_to_do_says_so() -> None:
    lines = summarise(dataclasses.replace(RESULT, published=False)).splitlines()
    assert lines[-2] == "nothing to do: no shard has changed; 1.5 s"
    assert lines[7] == "warning: 1 image in more than one split"


@pytest.mark.parametrize(
    ("states", "reasons", "shards", "end"),
    [
        ((1, 8, 0), {"image changed": 1}, "1 shard written (image changed), 8 shards kept", "1.5 s"),
        (
            (3, 0, 6),
            {"rows changed": 2, "image changed": 1},
            "3 shards written (2 rows changed; 1 image changed), 6 shards copied from an earlier dataset",
            "1.5 s",
        ),
        ((0, 9, 0), {}, "9 shards kept", "no shard has changed; the files beside them are new; 1.5 s"),
        ((0, 0, 9), {}, "9 shards copied from an earlier dataset", "1.5 s"),
    ],
)
def test_the_shards_of_each_split_are_told_with_the_reasons(
    states: tuple[int, int, int], reasons: dict[str, int], shards: str, end: str
) -> None:
    counts = dict(zip(("written", "kept", "reused"), states, strict=True))
    split = dataclasses.replace(SPLIT, shards=counts, reasons=reasons)
    lines = summarise(dataclasses.replace(RESULT, splits={"train_input": split})).splitlines()
    assert (lines[7], lines[-2]) == (f"  {shards}", end)


def test_what_differs_from_the_dataset_before_is_told() -> None:
    changes = {"added": 1, "removed": 0, "moved": [["a", "b", 3]], "image": 2, "mask": 4}
    lines = summarise(dataclasses.replace(RESULT, changes=changes)).splitlines()
    assert lines[-3] == (
        "compared with the previous dataset: 1 example added, 2 examples whose image file changed, "
        "4 examples whose rows changed"
    )


@pytest.mark.parametrize(
    ("examples", "shards", "enough"),
    [(23, 2000, 10), (5, 11, 2), (0, 11, 1), (0, 10, None), (6, 12, None), (10**6, 10**6, None)],
)
def test_shards_that_are_mostly_empty_are_warned_of(examples: int, shards: int, enough: int | None) -> None:
    warnings = warn_of_empty_shards({"train_input": (examples, shards)})
    assert [one.rpartition("; ")[2] for one in warnings] == (
        [f"--num_output_files {enough} is enough"] if enough else []
    )


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


def test_equal_images_with_different_masks_are_named_as_far_as_they_are_known() -> None:
    pairs = [("a.jpg", "b.jpg"), ("c.jpg", "d.jpg")]
    assert warn_of_different_masks({}, []) == []
    [warning] = warn_of_different_masks({note_of(OTHER_MASK): 2}, pairs)
    assert warning.startswith("equal images have different masks: a.jpg and b.jpg, c.jpg and d.jpg; compare these")
    [warning] = warn_of_different_masks({note_of(OTHER_MASK): 3}, pairs)
    assert "c.jpg and d.jpg and 1 more pair; compare these with maskmill preview --image" in warning
