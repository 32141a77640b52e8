"""CSV files to blocks of lines."""

from __future__ import annotations

import contextlib
import gzip
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, cast

import pytest

from maskmill.transforms.annotations import compression
from maskmill.transforms.annotations.csv_blocks import CsvFile, read_block, split_into_blocks
from maskmill.transforms.annotations.read_annotations import BLOCK_BYTES, parse_block
from maskmill.transforms.limits import MAX_LINE_BYTES
from maskmill.transforms.rejected import DataError
from tests.support.builders import HEADER, csv_file, zip_bytes

ROWS = [f"{index:04}.jpg,{index % 4 + 1},{index + 1} {index % 7 + 1}" for index in range(40)]
TEXT = "\n".join([HEADER, *ROWS, ""])


def zipped(text: bytes) -> bytes:
    """A zip archive of a CSV file."""
    return zip_bytes({"train.csv": text})


# How the content of a file depends on its name here.
COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    ".csv": bytes,
    ".gz": lambda text: gzip.compress(text, 1),
    ".zip": zipped,
}


def compressed(name: str, text: bytes) -> bytes:
    return COMPRESS[Path(name).suffix](text)


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
        ("archive.csv.zip", zipped(TEXT.encode())),
    ],
)
def test_every_row_is_read_once_whatever_the_blocks(
    tmp_path: Path, name: str, content: bytes, block_bytes: int
) -> None:
    assert rows_of(csv_file(tmp_path / name, content), block_bytes) == EXPECTED


def test_a_large_file_is_never_one_block(tmp_path: Path) -> None:
    for name, content in [
        ("a.csv", TEXT.encode()),
        ("a.csv.gz", gzip.compress(TEXT.encode())),
        ("a.zip", zipped(TEXT.encode())),
    ]:
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


def places_of(file: CsvFile, block_bytes: int) -> list[tuple[int, str]]:
    """Number of the line in the file and, of a bad row, its code, else ImageId, block after block."""
    places, before = [], 1
    for block in split_into_blocks(file, block_bytes):
        text = read_block(block)
        for line, row in parse_block(block, text):
            places.append((before + line.line, row.code.value if isinstance(row, DataError) else row.image_id))
        before += text.count(b"\n")
    return places


@pytest.mark.parametrize("block_bytes", [1, 2, 19, 20, 21, 22, 23, 60, 61, 10_000])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.zip"])
def test_a_line_that_is_too_long_is_rejected_and_the_next_ones_keep_their_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, end: str, block_bytes: int
) -> None:
    for module in ("csv_blocks", "parse_lines"):
        monkeypatch.setattr(f"maskmill.transforms.annotations.{module}.MAX_LINE_BYTES", 20)
    monkeypatch.setattr("maskmill.transforms.annotations.csv_blocks._PIECE_BYTES", 7)
    fits = "b.jpg,3," + "1 2 1 2 1 10"
    assert len(fits) == 20
    lines = [
        "a.jpg,3,1 2",
        fits,
        fits + "0",
        " " * 21,
        "x" * 500,
        "",
        "c.jpg,3,1 2",
        fits + "\rx",
        "y" * 90,
        "d.jpg,3,1 2",
    ]
    text = end.join([HEADER, *lines]).encode()
    expected = [(2, "a.jpg"), (3, "b.jpg"), (8, "c.jpg"), (11, "d.jpg")]
    expected += [(number, "CSV_LINE_TOO_LONG") for number in (4, 5, 6, 9, 10)]
    file = csv_file(tmp_path / name, compressed(name, text))
    assert places_of(file, block_bytes) == sorted(expected)


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.zip"])
def test_a_giant_line_is_never_held_whole_nor_read_again_by_each_block(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    content = f"{HEADER}\na.jpg,3,1 2\n".encode() + bytes(10 * MAX_LINE_BYTES) + b"\nb.jpg,3,1 2\n"
    file = csv_file(tmp_path / name, compressed(name, content))
    size = len(content)
    del content
    with counted_reads(monkeypatch) as reads:
        tracemalloc.start()
        places = places_of(file, BLOCK_BYTES)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert places == [(2, "a.jpg"), (3, "CSV_LINE_TOO_LONG"), (4, "b.jpg")]
    assert peak < 5 * MAX_LINE_BYTES
    assert sum(reads) < size + 2 * MAX_LINE_BYTES


@contextlib.contextmanager
def counted_reads(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Notes the bytes that are read from each file that is opened."""
    opened: list[BinaryIO] = []
    reads: list[int] = []

    class Counted:
        def __init__(self, file: BinaryIO) -> None:
            self.file = file

        def read(self, size: int) -> bytes:
            data = self.file.read(size)
            reads.append(len(data))
            return data

        def readline(self, size: int) -> bytes:
            data = self.file.readline(size)
            reads.append(len(data))
            return data

        def __getattr__(self, name: str) -> object:
            return getattr(self.file, name)

        def __enter__(self) -> BinaryIO:
            return cast(BinaryIO, self)

        def __exit__(self, *_: object) -> None:
            self.file.close()

    def open_counted(path: str, *request_bytes: int) -> BinaryIO:
        opened.append(cast(BinaryIO, Counted(open_read(path, *request_bytes))))
        return opened[-1]

    open_read = compression.open_read
    monkeypatch.setattr("maskmill.transforms.annotations.compression.open_read", open_counted)
    yield reads
