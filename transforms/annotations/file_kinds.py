"""Recognises files that are not CSV, or not in UTF-8, by their first bytes, and says what to do with them."""

from __future__ import annotations

import re
import shlex

from maskmill.transforms.files.paths import is_local

_DOCUMENT = "open it and save the table as CSV (UTF-8)"
_EXPORT = "export its table as CSV"
_UNPACK = "unpack it"
_WRONG_FILE = "correct maskmill.csv"

# What files begin with, what they are, what to do, and a command that reads the file and writes what is wanted.
_BINARY: tuple[tuple[bytes, str, str, str], ...] = (
    (b"BZh", "is compressed with bzip2", _UNPACK, "bzip2 -dc"),
    (b"\xfd7zXZ\0", "is compressed with xz", _UNPACK, "xz -dc"),
    (b"]\0\0", "is compressed with lzma", _UNPACK, "xz -dc"),
    (b"\x28\xb5\x2f\xfd", "is compressed with Zstandard", _UNPACK, "zstd -dc"),
    (b"\x04\x22\x4d\x18", "is compressed with LZ4", _UNPACK, "lz4 -dc"),
    (b"\x1f\x9d", "is compressed with compress", _UNPACK, "gzip -dc"),
    (b"7z\xbc\xaf\x27\x1c", "is a 7z archive", _UNPACK, ""),
    (b"Rar!\x1a\x07", "is a RAR archive", _UNPACK, ""),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "is an old Excel workbook (.xls), or protected by a password", _DOCUMENT, ""),
    (b"{\\rtf", "is a document in RTF, as TextEdit and WordPad save", "save it as plain text (UTF-8)", ""),
    (b"PAR1", "is a Parquet file", _EXPORT, ""),
    (b"ARROW1", "is an Arrow (Feather) file", _EXPORT, ""),
    (b"FEA1", "is a Feather file", _EXPORT, ""),
    (b"ORC", "is an ORC file", _EXPORT, ""),
    (b"Obj\x01", "is an Avro file", _EXPORT, ""),
    (b"\x89HDF\r\n\x1a\n", "is an HDF5 file", _EXPORT, ""),
    (b"SQLite format 3\0", "is an SQLite database", _EXPORT, ""),
    (b"\x93NUMPY", "is an array of NumPy", _EXPORT, ""),
    (b"%PDF-", "is a PDF", _EXPORT, ""),
    (b"\xff\xd8\xff", "is a JPEG image", _WRONG_FILE, ""),
    (b"\x89PNG\r\n\x1a\n", "is a PNG image", _WRONG_FILE, ""),
    (b"GIF8", "is a GIF image", _WRONG_FILE, ""),
    (b"II*\0", "is a TIFF image", _WRONG_FILE, ""),
    (b"MM\0*", "is a TIFF image", _WRONG_FILE, ""),
    (b"\x7fELF", "is a program", _WRONG_FILE, ""),
)
_TAR = b"ustar"
_TAR_OFFSET = 257

# What texts begin with, in lower letters after blanks.
_TEXTS: tuple[tuple[str, str, str], ...] = (
    (
        r"version https://git-lfs\.github\.com/",
        "is a pointer of Git LFS, which stands for the file",
        "get the file with: git lfs pull",
    ),
    (
        r"(\.\./)*\.git/annex/|/annex/objects/",
        "is a pointer of git-annex, which stands for the file",
        "get it with: git annex get",
    ),
    (
        r"<!doctype html|<html|<head|<body|<script",
        "is an HTML page, such as a page to log in that was saved in place of the file",
        "download the file again",
    ),
    (
        r"<\?xml|<!doctype|<\w",
        "is an XML file, such as a spreadsheet or the answer of a server that failed",
        "save the table as CSV, or download the file again",
    ),
    (
        r"[\[{]\s*(\[|\{|\"|\]|\}|-?\d|$)",
        "is a JSON file, such as annotations in the form of COCO",
        "convert it to a CSV file with a row for each mask",
    ),
)
# Byte order marks; the longer before the shorter that they begin with.
_MARKS = {b"\xff\xfe\0\0": "UTF-32", b"\0\0\xfe\xff": "UTF-32", b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}
# Where characters of ASCII have their only byte that is not 0: (encoding, bytes a character, index of that byte).
_WIDE = (("UTF-32LE", 4, 0), ("UTF-32BE", 4, 3), ("UTF-16LE", 2, 0), ("UTF-16BE", 2, 1))
_WIDE_BYTES = 32
_CONTROLS = re.compile(rb"[\x01-\x08\x0e-\x1f\x7f]")


def rewrite(path: str, command: str) -> str:
    """Returns the command of a shell that replaces a file by what another command makes of it, to end a message.

    Args:
        path: of the file; "" if it cannot be rewritten, because it is compressed.
        command: reads the file and writes its new content; "" if there is none.

    Returns:
        the command after ": "; "" if there is none, or if the file is not local.
    """
    if not (path and command and is_local(path)):
        return ""
    file, new = shlex.quote(path), shlex.quote(f"{path}.new")
    return f": {command} < {file} > {new} && mv {new} {file}"


def explain_content(head: bytes, path: str) -> str | None:
    """Says what a file is if it is no text in UTF-8.

    Args:
        head: first bytes of the file.
        path: see `rewrite`.

    Returns:
        what it is, and what to do; None if it is such a text, or empty.
    """
    for start, what, mend, command in _BINARY:
        if head.startswith(start):
            return f"{what}, not a CSV file; {mend}{rewrite(path, command)}"
    if head[_TAR_OFFSET:].startswith(_TAR):
        return f"is a tar archive, not a CSV file; {_UNPACK}, and name the CSV file in maskmill.csv"
    if encoding := _wide_encoding(head):
        command = f"iconv -f {encoding} -t UTF-8"
        return f"is in {encoding}, as Excel and PowerShell save Unicode; save it as UTF-8{rewrite(path, command)}"
    if head and not head.strip(b"\0"):
        return "holds nothing but zero bytes, as after a crash or on a full disk; copy it again from its source"
    text = head.decode("utf-8", "replace").lstrip("\ufeff \t\r\n").lower()
    for pattern, what, mend in _TEXTS:
        if re.match(pattern, text):
            return f"{what}, not a CSV file; {mend}"
    return _explain_bytes(head, path)


def _wide_encoding(head: bytes) -> str | None:
    """Returns the encoding of a text with 2 or 4 bytes a character."""
    if mark := next((mark for mark in _MARKS if head.startswith(mark)), None):
        return _MARKS[mark]
    for encoding, size, index in _WIDE:
        characters = head[: min(len(head), _WIDE_BYTES) // size * size]
        rest = b"".join(characters[other::size] for other in range(size) if other != index)
        if characters and not rest.strip(b"\0") and 0 not in characters[index::size]:
            return encoding
    return None


def _explain_bytes(head: bytes, path: str) -> str | None:
    """Says what is wrong with the bytes of a file's first line."""
    line = head.split(b"\n", 1)[0]
    if b"\0" in line:
        return "holds zero bytes in its first line, as a damaged file does; copy it again from its source"
    if _CONTROLS.search(line):
        return "holds bytes that are no text, and is not a CSV file; export it again, or correct maskmill.csv"
    try:
        line.decode("utf-8")
    except UnicodeDecodeError as error:
        # The last character of the head may be cut off.
        if error.start < len(head) - 3:
            problem = f"has a header that is not UTF-8 ({error}), but perhaps Windows-1252; save it as UTF-8"
            return f"{problem}{rewrite(path, 'iconv -f WINDOWS-1252 -t UTF-8')}"
    return None
