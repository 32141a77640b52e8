"""Tests of the recognition of files by their first bytes."""

from __future__ import annotations

import pytest

from maskmill.transforms.annotations.explain_content import explain_content, rewrite

TEXT = "ImageId,ClassId,EncodedPixels\na.jpg,3,1 2\n"


@pytest.mark.parametrize(
    "head",
    [
        b"",
        TEXT.encode(),
        TEXT.encode("utf-8-sig"),
        f"Größe,{TEXT}".encode(),
        TEXT.encode() + b"\xff\0\x01",
        # What looks like the beginning of something else.
        b"Image<html>,a\n",
        b"version,a\n",
        b"ORCID,ClassId\n",
        b"ORC,ClassId\n",
        b"PAR1;PAR2\n",
        b"ID3 tag,a\n",
        b"[a],b\n",
        b"{a},b\n",
        b"a" * 65535 + "é".encode()[:1],
    ],
)
def test_a_text_is_left_to_the_reader(head: bytes) -> None:
    assert explain_content(head, "a.csv") is None


@pytest.mark.parametrize(
    ("head", "words"),
    [
        (b"BZh91AY&SY", "is a bzip2 archive, not a CSV file; unpack it: bzip2 -dc < a.csv > a.csv.new"),
        (b"\xfd7zXZ\0\0", "is an xz archive, not a CSV file; unpack it: xz -dc < a.csv"),
        (b"\x28\xb5\x2f\xfd", "Zstandard"),
        (b"7z\xbc\xaf\x27\x1c", "is a 7z archive, not a CSV file; unpack it"),
        (b"Rar!\x1a\x07\0", "is a RAR archive"),
        (b"\0" * 257 + b"ustar\0", "is a tar archive"),
        (b"a.csv" + b"\0" * 252 + b"ustar  ", "is a tar archive"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", r"is an old Excel workbook (.xls)"),
        (b"PAR1\x15\x04", "is a Parquet file"),
        (b"\x89HDF\r\n\x1a\n", "is an HDF5 file"),
        (b"\xff\xd8\xff\xe0", "is a JPEG image, not a CSV file; correct maskmill.csv"),
        (b"{\\rtf1\\ansi", "in RTF"),
        (b"<!doctype HTML>", "is an HTML page"),
        ("\ufeff \r\n<HTML>".encode(), "is an HTML page"),
        (b"<?xml version='1.0'?><Error>", "is an XML file"),
        (b'{"images": [', "is a JSON file"),
        (b"[\n  {", "is a JSON file"),
        (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
        (b"../../.git/annex/objects/a", "git annex get"),
        (b"/annex/objects/SHA256E-s1", "git annex get"),
        (
            TEXT.encode("utf-16"),
            "is in UTF-16, as Excel and PowerShell save Unicode; save it as UTF-8: iconv -f UTF-16",
        ),
        (TEXT.encode("utf-16-le"), "is in UTF-16LE"),
        (TEXT.encode("utf-16-be"), "is in UTF-16BE"),
        (b"\0\0\xfe\xff" + TEXT.encode("utf-32-be"), "is in UTF-32, "),
        (TEXT.encode("utf-32"), "is in UTF-32, "),
        (TEXT.encode("utf-32-le"), "is in UTF-32LE"),
        (TEXT.encode("utf-32-be"), "is in UTF-32BE"),
        (f"Größe,{TEXT}".encode("cp1252"), "has a header that is not UTF-8 ('utf-8' codec can't decode byte 0xf6"),
        (bytes(1000), "holds nothing but zero bytes"),
        (b"ImageId,\0ClassId\n", "holds zero bytes in its first line"),
        (bytes(range(128, 256)) + b"\x01", "holds bytes that are no text"),
        (b"\x01\x02,a\n", "holds bytes that are no text"),
    ],
    ids=lambda value: repr(value[:24]),
)
def test_what_is_no_text_in_utf_8_is_named(head: bytes, words: str) -> None:
    assert words in (explain_content(head, "a.csv") or "")


def test_a_command_is_given_for_local_files_that_can_be_rewritten() -> None:
    assert rewrite("a b.csv", "cat") == ": cat < 'a b.csv' > 'a b.csv.new' && mv 'a b.csv.new' 'a b.csv'"
    assert [rewrite("gs://bucket/a.csv", "cat"), rewrite("", "cat"), rewrite("a.csv", "")] == ["", "", ""]
