"""Tests of the opening of CSV files, compressed or not."""

from __future__ import annotations

import gzip
import io
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any, cast

import pytest

from maskmill.transforms.annotations.compression import Compression, CsvFileError, compression_of, open_csv
from maskmill.transforms.files.object_store import ObjectReader, ObjectStore
from tests.support.builders import zip_bytes

TEXT = b"".join(b"%d,1 2\n" % number for number in range(20_000))


def read(path: Path, content: bytes) -> bytes:
    """What is read of a file of this content."""
    path.write_bytes(content)
    with open_csv(str(path), len(content), compression_of(content)) as file:
        return file.read()


@pytest.mark.parametrize(
    ("content", "compression"),
    [
        (b"", None),
        (b"ImageId", None),
        (b"P", None),
        (gzip.compress(b""), Compression.GZIP),
        (zip_bytes({}), Compression.ZIP),
        (zip_bytes({"a": b""}), Compression.ZIP),
    ],
    ids=["nothing", "text", "short", "gzip", "zip of nothing", "zip"],
)
def test_the_content_tells_how_a_file_is_compressed(content: bytes, compression: Compression | None) -> None:
    assert compression_of(content) == compression


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.zip"])
@pytest.mark.parametrize(
    "content",
    [
        TEXT,
        gzip.compress(TEXT),
        gzip.compress(TEXT[:99]) + gzip.compress(TEXT[99:]),
        zip_bytes({"train.csv": TEXT}),
        zip_bytes({"x": TEXT}, zipfile.ZIP_STORED),
        zip_bytes({"a/": b"", "a/b/": b"", "a/b/train.csv": TEXT, "a/Thumbs.db": b"x", "a/._train.csv": b"x"}),
        zip_bytes({"__MACOSX/a/train.csv": b"x", "a/train.csv": TEXT, "desktop.ini": b"x"}),
    ],
    ids=["plain", "gzip", "gzip of two parts", "zip", "stored", "folders and litter", "of a Mac"],
)
def test_a_file_is_read_whatever_its_name(tmp_path: Path, name: str, content: bytes) -> None:
    assert read(tmp_path / name, content) == TEXT


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (zip_bytes({}), "is a zip archive of no file, and only one can be read; unpack it"),
        (zip_bytes({"a.csv": b"", "b.csv": b""}), r"is a zip archive of 2 files \(a.csv, b.csv\)"),
        (zip_bytes({f"{n}.jpg": b"" for n in range(9)}), r"of 9 files \(0.jpg, 1.jpg, 2.jpg, 3.jpg, 4.jpg, …\)"),
        (zip_bytes({"a\x1b[1m": b"", "b": b""}), r"2 files \(a\?\[1m, b\)"),
        (zip_bytes({f"{n:0100}": b"" for n in range(30_000)}), "is a zip archive of very many files"),
        (zip_bytes({"a": TEXT}, zipfile.ZIP_BZIP2), r"compressed in an unusual way \(bzip2\); unpack it"),
        (zip_bytes({"[Content_Types].xml": b"", "xl/a": b""}), r"is an Excel workbook \(.xlsx\), not a CSV file"),
        (zip_bytes({"[Content_Types].xml": b"", "word/a": b""}), "is an Office document, not a CSV file"),
        (zip_bytes({"mimetype": b"", "content.xml": b""}), "is an OpenDocument file"),
        (zip_bytes({"Index/Document.iwa": b"", "a": b""}), "is a document of Apple Numbers"),
    ],
    ids=lambda value: value[:30] if isinstance(value, str) else "",
)
def test_an_archive_that_is_not_read_is_told(tmp_path: Path, content: bytes, words: str) -> None:
    with pytest.raises(CsvFileError, match=f"a.csv: .*{words}"):
        read(tmp_path / "a.csv", content)


def damaged(content: bytes, offset: int) -> bytes:
    changed = bytearray(content)
    changed[offset] ^= 0xFF
    return bytes(changed)


STORED = zip_bytes({"a": TEXT}, zipfile.ZIP_STORED)


@pytest.mark.parametrize(
    "content",
    [
        gzip.compress(TEXT)[:-9],
        damaged(gzip.compress(TEXT), -6),
        gzip.compress(TEXT) + b"x",
        zip_bytes({"a": TEXT})[:-30],
        damaged(STORED, 1000),
        damaged(zip_bytes({"a": TEXT}), 1000),
        b"PK\x05\x06",
        b"PK\x03\x04" + bytes(100),
    ],
    ids=["gzip, cut", "gzip, checksum", "gzip, more", "zip, cut", "stored", "zip", "zip, end", "zip, beginning"],
)
def test_damage_is_found(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(CsvFileError, match=r"a.csv: the compressed file is damaged \(.*\); copy it again"):
        read(tmp_path / "a.csv", content)


READ = """
import os, sys, tracemalloc
from maskmill.transforms.annotations.compression import Compression, open_csv

path = sys.argv[1]
tracemalloc.start()
with open_csv(path, os.path.getsize(path), Compression.ZIP) as file:
    found = sum(len(piece) for piece in iter(lambda: file.read(2**19), b""))
print(found, tracemalloc.get_traced_memory()[1])
"""


def test_a_member_that_decompresses_to_very_much_is_read_in_pieces(tmp_path: Path) -> None:
    size = 2**28
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive, archive.open("a", "w") as member:
        for _ in range(size // 2**20):
            member.write(bytes(2**20))
    # In a process of its own: threads that earlier tests have left would count, too.
    said = subprocess.run(
        [sys.executable, "-c", READ, tmp_path / "a.zip"], capture_output=True, text=True, check=True, timeout=60
    )
    found, peak = map(int, said.stdout.split())
    assert found == size
    assert peak < 2**23


def zipped(text: bytes) -> bytes:
    return zip_bytes({"a.csv": text})


class OneObject:
    """A store of one object, as far as a reader needs it."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    def read_range(self, path: str, start: int, stop: int) -> bytes:
        """Bytes of the object."""
        assert start >= 0
        return self.content[start:stop]


@pytest.mark.parametrize(
    "compress", [bytes, gzip.compress, lambda text: zip_bytes({"a.csv": text})], ids=["plain", "gzip", "zip"]
)
def test_an_object_of_a_store_is_read_although_its_end_is_not_known(
    monkeypatch: pytest.MonkeyPatch, compress: Any
) -> None:
    content = compress(TEXT)
    store = cast(ObjectStore, OneObject(content))
    monkeypatch.setattr(
        "maskmill.transforms.annotations.compression.open_read",
        lambda path, request_bytes: io.BufferedReader(ObjectReader(store, path), 1000),
    )
    with open_csv("gs://bucket/a", len(content), compression_of(content)) as file:
        assert file.read() == TEXT
