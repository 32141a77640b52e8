"""CSV files to rows, in blocks."""

from __future__ import annotations

import gzip
from pathlib import Path

import apache_beam as beam
import pytest
from apache_beam.testing.util import assert_that, equal_to

from tests.builders import HEADER, in_process
from transforms.example import MaskRow
from transforms.read_annotations import (
    AnnotationRow,
    CsvFile,
    ReadAnnotations,
    Source,
    parse_block,
    read_block,
    read_header,
    split_into_blocks,
)
from transforms.rejected import DataError, Line
from transforms.rle import pack_runs, parse_runs
from transforms.rows import ColumnNames

ROWS = [f"{index:04}.jpg,{index % 4 + 1},{index + 1} {index % 7 + 1}" for index in range(40)]
TEXT = "\n".join([HEADER, *ROWS, ""])


def csv_file(path: Path, content: bytes, uses: tuple[tuple[int, int], ...] = ((0, 0),)) -> CsvFile:
    path.write_bytes(content)
    return CsvFile(str(path), len(content), read_header(str(path), ColumnNames()), uses)


def rows_of(file: CsvFile, block_bytes: int) -> list[tuple[str, int]]:
    """ImageId and class of each row, block after block."""
    rows = []
    for block in split_into_blocks(file, block_bytes):
        for _, row in parse_block(block, read_block(block)):
            assert not isinstance(row, DataError)
            rows.append((row.image_id, row.class_id))
    return rows


EXPECTED = [(row.split(",")[0], int(row.split(",")[1])) for row in ROWS]


@pytest.mark.parametrize("block_bytes", [1, 2, 7, 13, 29, 30, 31, 100, 10_000])
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("plain.csv", TEXT.encode()),
        ("no_end.csv", TEXT.rstrip("\n").encode()),
        ("crlf.csv", TEXT.replace("\n", "\r\n").encode()),
        ("bom.csv", b"\xef\xbb\xbf" + TEXT.encode()),
        ("blank_lines.csv", TEXT.replace("\n", "\n\n").encode()),
        ("quoted.csv", TEXT.replace(".jpg", '.jpg"').replace("\n0", '\n"0').encode()),
        ("compressed.csv.gz", gzip.compress(TEXT.encode())),
    ],
)
def test_every_row_is_read_once_whatever_the_blocks(
    tmp_path: Path, name: str, content: bytes, block_bytes: int
) -> None:
    assert rows_of(csv_file(tmp_path / name, content), block_bytes) == EXPECTED


def test_a_large_file_is_never_one_block(tmp_path: Path) -> None:
    for name, content in [("a.csv", TEXT.encode()), ("a.csv.gz", gzip.compress(TEXT.encode()))]:
        blocks = list(split_into_blocks(csv_file(tmp_path / name, content), 100))
        assert len(blocks) > 3
        assert all(len(read_block(block)) < 200 for block in blocks)


@pytest.mark.parametrize("keep", [0.3, 0.9, 0.999])
def test_a_compressed_file_that_is_cut_off_is_no_shorter_file(tmp_path: Path, keep: float) -> None:
    file = csv_file(tmp_path / "a.csv.gz", gzip.compress(TEXT.encode()))
    whole = (tmp_path / "a.csv.gz").read_bytes()
    (tmp_path / "a.csv.gz").write_bytes(whole[: int(len(whole) * keep)])
    with pytest.raises(OSError, match=r"a.csv.gz: the compressed file is damaged .* copy it again"):
        list(split_into_blocks(file, 100))


def test_a_header_alone_has_no_rows(tmp_path: Path) -> None:
    assert rows_of(csv_file(tmp_path / "a.csv", HEADER.encode()), 100) == []


def test_rows_of_wanted_classes_are_given_by_image_and_all_are_tallied(tmp_path: Path) -> None:
    lines = [HEADER, "a.jpg,3,1 2", "a.jpg,1,5 1", "b.jpg,3,", "b.jpg,4,-1", "c.jpg,3,1 2 3", "c.jpg,7,1 2", ""]
    file = csv_file(tmp_path / "train.csv", "\n".join(lines).encode(), ((0, 0), (1, 5)))
    sources = (Source(0, frozenset({3})), Source(1, frozenset({3, 4})))
    with in_process() as pipeline:
        annotations = pipeline | ReadAnnotations(files=(file,), sources=sources)
        rows = annotations.rows | "Rows" >> beam.MapTuple(
            lambda key, row: (key, row.source, row.rank, row.class_id, row.mask.line.line, row.mask.runs)
        )
        run = pack_runs(parse_runs("1 2"))
        assert_that(
            rows,
            equal_to(
                [
                    ((0, "a.jpg"), 0, 0, 3, 1, run),
                    ((1, "a.jpg"), 1, 5, 3, 1, run),
                    ((1, "b.jpg"), 1, 5, 4, 4, pack_runs(parse_runs("-1"))),
                ]
            ),
            "rows",
        )
        codes = annotations.rejected | "Codes" >> beam.Map(lambda record: (record.source.line, record.code))
        bad = [(5, "RLE_ODD_COUNT"), (6, "CLASS_INVALID")]
        assert_that(codes, equal_to(bad + bad), "rejected")
        sums = annotations.tallies | "Sums" >> beam.CombinePerKey(sum)
        tallies = [("read", 12), ("filtered: of another class", 3), ("filtered: without a mask", 2)]
        assert_that(sums, equal_to(tallies), "tallies")


def test_rows_of_a_class_sort_in_the_order_of_the_files() -> None:
    places = [(0, 0, 0, 1), (0, 0, 0, 9), (0, 0, 500, 0), (0, 1, 0, 2), (1, 0, 0, 0)]
    rows = [
        AnnotationRow(source, rank, 3, MaskRow(Line(f"{9 - rank}.csv", block, line), b""))
        for source, rank, block, line in places
    ]
    shuffled = [rows[index] for index in (3, 0, 4, 2, 1)]
    assert sorted(shuffled) == rows
