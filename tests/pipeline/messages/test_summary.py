"""The summary of a run, as people read it."""

from __future__ import annotations

import pytest

from maskmill.pipeline.messages.summary import describe_classes, summarise, warn_of_classes, warn_of_empty_shards

LOOK = "maskmill report out"


SHARD = {"file": "x", "examples": 3, "bytes": 10, "sha256": "", "fingerprint": ""}
ENTRY = {
    "examples": 3,
    "bytes": 2_500_000,
    "classes": {"1": 2, "fish": 1},
    "negatives": 1,
    "overlaps": {"pixels": 0},
    "shards": [SHARD] * 9,
}
MANIFEST = {
    "rows": {"read": 10, "in_examples": 4, "filtered": {"of another class": 6, "in no split": 0}, "merged": 1},
    "splits": {"train_input": ENTRY},
    "rejected": {"CLASS_INVALID": 2, "IMAGE_EMPTY": 1},
    "shared_images": 1,
    "notes": {"rows with overlapping runs, which are united": 2, "another": 0},
}


def run_of(written: int, kept: int = 0, reused: int = 0, **reasons: int) -> dict[str, object]:
    """Entry of a run in the history."""
    named = {reason.replace("_", " "): number for reason, number in reasons.items()}
    states = {"written": written, "kept": kept, "reused": reused}
    return {"shards": {"train_input": states}, "reasons": {"train_input": named}, "changes": None}


def test_summary_is_for_people() -> None:
    assert summarise(MANIFEST, run_of(9, new=9), "out", 1.5, LOOK).splitlines() == [
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


@pytest.mark.parametrize(
    ("run", "shards", "end"),
    [
        (None, None, "nothing to do: no shard has changed; 1.5 s"),
        (run_of(1, 8, image_changed=1), "  1 shard written (image changed), 8 shards kept", "1.5 s"),
        (
            run_of(3, 0, 6, image_changed=1, rows_changed=2),
            "  3 shards written (1 image changed; 2 rows changed), 6 shards copied from an earlier dataset",
            "1.5 s",
        ),
        (run_of(0, 9), "  9 shards kept", "no shard has changed; the files beside them are new; 1.5 s"),
        (run_of(0, 0, 9), "  9 shards copied from an earlier dataset", "1.5 s"),
    ],
)
def test_the_shards_of_each_split_are_told_with_the_reasons(run: object, shards: str | None, end: str) -> None:
    lines = summarise(MANIFEST, run, "out", 1.5, LOOK).splitlines()
    assert lines[-2] == end
    assert lines[7] == (shards or "warning: 1 image in more than one split")


def test_what_differs_from_the_dataset_before_is_told() -> None:
    changes = {"added": 1, "removed": 0, "moved": [["a", "b", 3]], "image": 2, "mask": 4}
    lines = summarise(MANIFEST, {**run_of(9, new=9), "changes": changes}, "out", 1.5, LOOK).splitlines()
    assert lines[-3] == (
        "compared with the dataset before: 1 example added, 2 examples whose image file changed, "
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


BY_CLASS = {"read": 9, "classes": {"0": 8, "1": 1, "3": 0, "fish": 0}}


@pytest.mark.parametrize(
    ("rows", "chosen", "lines"),
    [
        (BY_CLASS, ["1", "0"], ["  class 1: 1 row", "  class 0: 8 rows"]),
        (BY_CLASS, ["3"], ["  class 3: 0 rows"]),
        ({"read": 9, "classes": {"ship": 9}}, ["ship"], []),
        ({"read": 9}, ["1"], []),  # as an earlier maskmill wrote it
    ],
)
def test_each_class_that_is_used_is_told_with_its_rows(rows: object, chosen: list[str], lines: list[str]) -> None:
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
            {"read": 2, "classes": {"1": 0}},
            ["1"],
            ["no row is of class 1, which class_id asks for; classes with rows: none"],
        ),
        ({"read": 0, "classes": {"1": 0}}, ["1"], []),
        ({"read": 9}, ["1"], []),
    ],
)
def test_a_class_without_a_row_is_most_likely_a_slip(rows: object, chosen: list[str], warnings: list[str]) -> None:
    assert warn_of_classes(rows, chosen) == warnings
