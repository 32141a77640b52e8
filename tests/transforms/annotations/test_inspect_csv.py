"""Tests of the look at CSV files before any work."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from maskmill.transforms.annotations.columns import Columns, RowFormat
from maskmill.transforms.annotations.compression import Compression, CsvFileError
from maskmill.transforms.annotations.csv_blocks import CsvFile
from maskmill.transforms.annotations.inspect_csv import has_rows
from tests.support.builders import HEADER, csv_file, zip_bytes

TEXT = f"{HEADER}\na.jpg,3,1 2\n".encode()


@pytest.mark.parametrize(
    ("content", "compression"),
    [(TEXT, None), (gzip.compress(TEXT), Compression.GZIP), (zip_bytes({"a": TEXT}), Compression.ZIP)],
    ids=["plain", "gzip", "zip"],
)
def test_a_file_is_described(tmp_path: Path, content: bytes, compression: Compression | None) -> None:
    columns = Columns(0, 1, 2, None, 3, RowFormat())
    expected = CsvFile(str(tmp_path / "a.csv"), len(content), columns, ((0, 0), (2, 1)), compression)
    assert csv_file(tmp_path / "a.csv", content, ((0, 0), (2, 1))) == expected


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (HEADER.encode() + b"," * 10**6, "a.csv:1: the first line is longer than 65536 bytes"),
        (b"x\n", "a.csv:1: the header has no column 'ImageId'"),
        (b"PAR1", "a.csv: is a Parquet file, not a CSV file; export"),
        (gzip.compress(b"PAR1"), "a.csv: holds a file that is a Parquet file, not a CSV file; export"),
        (zip_bytes({"a": gzip.compress(TEXT)}), "a.csv: is a gzip file within a zip file; unpack it once"),
        (b"\r".join([HEADER.encode()] * 5000), "a.csv:1: the lines end in CR alone"),
        # Commands that rewrite a file do not suit a compressed one.
        (gzip.compress(b"\n" + TEXT), "remove what stands before the header$"),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else "",
)
def test_a_file_that_is_not_read_is_named_with_the_cause(tmp_path: Path, content: bytes, words: str) -> None:
    with pytest.raises(CsvFileError, match=words):
        csv_file(tmp_path / "a.csv", content)


def zipped(text: bytes) -> bytes:
    return zip_bytes({"a": text})


@pytest.mark.parametrize("after", [b"", b"\n", b"\n\n \r\n\t\n", b"\n" * 200_000], ids=len)
@pytest.mark.parametrize(
    "compress", [bytes, gzip.compress, lambda text: zip_bytes({"a": text})], ids=["", "gzip", "zip"]
)
def test_blank_lines_are_no_rows(tmp_path: Path, after: bytes, compress: object) -> None:
    assert callable(compress)
    assert not has_rows(csv_file(tmp_path / "a.csv", compress(HEADER.encode() + after)))
    assert has_rows(csv_file(tmp_path / "b.csv", compress(HEADER.encode() + after + b"\nx")))
