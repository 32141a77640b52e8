"""Tests of the metadata of a whole dataset."""

from __future__ import annotations

from typing import Any

import apache_beam as beam
from apache_beam.testing.util import assert_that

from maskmill.transforms.aggregate_metadata import AggregateMetadata, DatasetMetadata, RowCounts, number_lines
from maskmill.transforms.assignment.splits import SplitSize
from maskmill.transforms.rejected import Line, Rejected, RejectedRecord
from maskmill.transforms.shards.records import ShardSummary, StoredShard
from tests.support.builders import in_process


def rejected(source: Line | str, *, image_id: str = "a.jpg", class_id: int | None = 3, rows: int = 1) -> Rejected:
    return Rejected(source=source, image_id=image_id, class_id=class_id, code="RLE_ODD_COUNT", message="bad", rows=rows)


def test_lines_are_numbered_through_the_blocks_of_their_file() -> None:
    lines = [(("x.csv", 100), 7), (("x.csv", 0), 5), (("y.csv", 0), 9)]
    records = [rejected(Line("x.csv", 100, 2)), rejected(Line("x.csv", 0, 1)), rejected(Line("y.csv", 0, 4))]
    records.append(rejected("images/a.jpg", class_id=None))
    assert tuple(number_lines(records, lines)) == (
        RejectedRecord("images/a.jpg", None, "a.jpg", None, "RLE_ODD_COUNT", "bad"),
        RejectedRecord("x.csv", 2, "a.jpg", 3, "RLE_ODD_COUNT", "bad"),
        RejectedRecord("x.csv", 8, "a.jpg", 3, "RLE_ODD_COUNT", "bad"),
        RejectedRecord("y.csv", 5, "a.jpg", 3, "RLE_ODD_COUNT", "bad"),
    )


def test_a_record_that_several_sources_reject_is_listed_once() -> None:
    line = Line("x.csv", 0, 4)
    assert len(number_lines([rejected(line), rejected(line), rejected(line, rows=0)], [(("x.csv", 0), 9)])) == 1


def test_rejected_records_of_one_line_are_in_a_fixed_order() -> None:
    line = Line("x.csv", 0, 4)
    both = [rejected(line, class_id=None), rejected(line, class_id=4)]
    found = [[record.class_id for record in number_lines(some, [(("x.csv", 0), 9)])] for some in (both, both[::-1])]
    assert found == [[4, None], [4, None]]


def test_a_row_that_is_nowhere_is_lost() -> None:
    rows = RowCounts(read=10, in_examples=4, filtered={"of another class": 2, "in no split": 1}, rejected=1, merged=3)
    assert rows.lost == 2


def test_all_classes_are_counted_in_their_order() -> None:
    rows = RowCounts(read=1, in_examples=1, filtered={"x": 0}, rejected=0, merged=0, classes={"a": 1})
    counts = {"read": 1, "in_examples": 1, "filtered": {"x": 0}, "rejected": 0, "merged": 0}
    assert rows.to_json(["b", "a"]) == {**counts, "classes": {"b": 0, "a": 1}}
    assert list(rows.to_json(["b", "a"])["classes"]) == ["b", "a"]


def test_aggregate_metadata_accounts_for_every_row_and_image() -> None:
    summaries = [
        ShardSummary("train_input", number, f"{number}", 3, 1, {3: 2}, StoredShard(2, 10, "", "")) for number in (1, 0)
    ]
    sizes = {"train_input": SplitSize(4, 4)}

    def check(found: list[DatasetMetadata]) -> None:
        [metadata] = found
        assert metadata == DatasetMetadata(
            shards=(summaries[1], summaries[0]),
            sizes=sizes,
            rows=RowCounts(
                read=10,
                in_examples=6,
                filtered={"of another class": 3},
                rejected=1,
                merged=2,
                classes={"3": 7, "fish": 1},
            ),
            rejected=(RejectedRecord("x.csv", 3, "a.jpg", 3, "RLE_ODD_COUNT", "bad"),),
            shared_images=2,
            images=7,
            notes={"rows with overlapping runs, which are united": 2},
            pairs=(("a.jpg", "b.jpg"),),
        )
        assert metadata.rows.lost == 0

    tallies: list[tuple[str, int]] = [
        ("read", 5),
        ("read", 5),
        ("filtered: of another class", 3),
        ("of class: fish", 1),
        ("of class: 3", 5),
        ("of class: 3", 2),
        ("annotated images", 4),
        ("annotated images", 3),
        ("images in more than one split", 2),
        ("noted: rows with overlapping runs, which are united", 2),
    ]
    with in_process() as pipeline:
        parts: dict[str, Any] = {
            "sizes": pipeline | "Sizes" >> beam.Create([sizes]),
            "tallies": pipeline | "Tallies" >> beam.Create(tallies),
            "rejected": pipeline | "Rejected" >> beam.Create([rejected(Line("x.csv", 0, 2))]),
            "pairs": pipeline | "Pairs" >> beam.Create([[("a.jpg", "b.jpg")]]),
            "lines": pipeline | "Lines" >> beam.Create([(("x.csv", 0), 11)]),
        }
        assert_that(pipeline | "Summaries" >> beam.Create(summaries) | AggregateMetadata(**parts), check)
