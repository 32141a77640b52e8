"""Tests of the records of annotations and of their codecs."""

from __future__ import annotations

from maskmill.transforms.annotations.records import (
    FILE_CODEC,
    ROW_CODEC,
    AnnotationRow,
    FileStatus,
    ImageKey,
    MaskRow,
)
from maskmill.transforms.codec import unpack
from maskmill.transforms.rejected import Line


def test_rows_of_a_class_sort_in_the_order_of_the_files() -> None:
    places = [(0, 0, 0, 1), (0, 0, 0, 9), (0, 0, 500, 0), (0, 1, 0, 2), (1, 0, 0, 0)]
    rows = [
        AnnotationRow(source, file_index, MaskRow(Line(f"{9 - file_index}.csv", block, line), 3, b"x"))
        for source, file_index, block, line in places
    ]
    shuffled = [rows[index] for index in (3, 0, 4, 2, 1)]
    assert sorted(shuffled) == rows


def test_rows_survive_a_batch() -> None:
    row = AnnotationRow(1, 2, MaskRow(Line("train.csv", 512, 7), 3, b"runs"), "coil 7")
    pairs: list[tuple[ImageKey, AnnotationRow]] = [((1, "a.jpg"), row), ((0, "b.jpg"), row._replace(group=""))]
    assert list(unpack([ROW_CODEC.pack(pairs)], ROW_CODEC)) == pairs


def test_files_survive_a_batch() -> None:
    pairs: list[tuple[ImageKey, FileStatus]] = [((1, "a.jpg"), (100, 1.5, 2)), ((0, "b.jpg"), (0, 0.0, 0))]
    assert list(unpack([FILE_CODEC.pack(pairs)], FILE_CODEC)) == pairs


def test_the_path_that_rows_share_is_in_a_batch_once() -> None:
    lines = [Line(f"/data/{'train.csv'}", 0, number) for number in range(5)]  # strings of their own
    assert lines[0].path is not lines[1].path
    pairs = [((0, f"{line.line}.jpg"), AnnotationRow(0, 0, MaskRow(line, 3, b"runs"))) for line in lines]
    assert ROW_CODEC.pack(pairs)[1].count(b"/data/train.csv") == 1


def test_the_size_of_a_row_is_not_underestimated() -> None:
    row = AnnotationRow(1, 2, MaskRow(Line("train.csv", 512, 7), 3, b"r" * 1000), "coil 7")
    pairs: list[tuple[ImageKey, AnnotationRow]] = [((1, f"{number:09}.jpg"), row) for number in range(100)]
    assert len(ROW_CODEC.pack(pairs)[1]) <= sum(map(ROW_CODEC.size_of, pairs))
