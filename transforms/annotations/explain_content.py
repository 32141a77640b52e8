"""Says what a file is that is no CSV, or not in UTF-8, by its first bytes, and what to do with it."""

from __future__ import annotations

import re
import shlex

from maskmill.transforms.files.paths import is_local
from maskmill.transforms.files.signatures import kind_of

# What to do with files of some kinds; of the others, the CSV file is another one.
_WRONG_FILE = "correct maskmill.csv"
_DOCUMENT = "open it and save the table as CSV (UTF-8)"
_EXPORT = "export its table as CSV"
_MENDS = {
    "a 7z archive": "unpack it",
    "a RAR archive": "unpack it",
    "a tar archive": "unpack it, and name the CSV file in maskmill.csv",
    "a document in RTF, as TextEdit and WordPad save": "save it as plain text (UTF-8)",
    "an old Excel workbook (.xls), or a document with a password": _DOCUMENT,
    "a Parquet file": _EXPORT,
    "an Arrow (Feather) file": _EXPORT,
    "a Feather file": _EXPORT,
    "an ORC file": _EXPORT,
    "an Avro file": _EXPORT,
    "an HDF5 file": _EXPORT,
    "an SQLite database": _EXPORT,
    "a NumPy array": _EXPORT,
    "a PDF document": _EXPORT,
}
# Commands that read a compressed file and write its content.
_UNPACK = {
    "a bzip2 archive": "bzip2 -dc",
    "an xz archive": "xz -dc",
    "an lzma archive": "xz -dc",
    "a Zstandard archive": "zstd -dc",
    "an LZ4 archive": "lz4 -dc",
    "an archive of compress (.Z)": "gzip -dc",
}

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
    if (kind := kind_of(head)) is not None:
        mend = f"unpack it{rewrite(path, _UNPACK[kind])}" if kind in _UNPACK else _MENDS.get(kind, _WRONG_FILE)
        return f"is {kind}, not a CSV file; {mend}"
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
