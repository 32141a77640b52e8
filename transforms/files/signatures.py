"""Names files of common kinds by their first bytes, for messages about a file that should be something else."""

from __future__ import annotations

import re

# A text may begin with the same letters; then a character of words or of a table follows.
_NO_TEXT = rb"(?![\w \"',;\t|])"

# What files begin with, and what they are. The first that fits counts.
_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (rb"PK(?:\x03\x04|\x05\x06)", "a zip archive"),
    (rb"\x1f\x8b", "a gzip archive"),
    (rb"BZh[1-9]", "a bzip2 archive"),
    (rb"\xfd7zXZ\0", "an xz archive"),
    (rb"\]\0\0.\0", "an lzma archive"),
    (rb"\x28\xb5\x2f\xfd", "a Zstandard archive"),
    (rb"\x04\x22\x4d\x18", "an LZ4 archive"),
    (rb"\x1f\x9d", "an archive of compress (.Z)"),
    (rb"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (rb"Rar!\x1a\x07", "a RAR archive"),
    (rb".{257}ustar", "a tar archive"),
    (rb"%PDF-", "a PDF document"),
    (rb"\{\\rtf", "a document in RTF, as TextEdit and WordPad save"),
    (rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel workbook (.xls), or a document with a password"),
    (rb"PAR1" + _NO_TEXT, "a Parquet file"),
    (rb"ARROW1" + _NO_TEXT, "an Arrow (Feather) file"),
    (rb"FEA1" + _NO_TEXT, "a Feather file"),
    (rb"ORC" + _NO_TEXT, "an ORC file"),
    (rb"Obj\x01", "an Avro file"),
    (rb"\x89HDF\r\n\x1a\n", "an HDF5 file"),
    (rb"SQLite format 3\0", "an SQLite database"),
    (rb"\x93NUMPY", "a NumPy array"),
    (rb"\x80[\x02-\x05][\x95}\]cq(]", "a Python pickle"),
    (rb"MATLAB 5\.0", "a MATLAB file"),
    (rb"\xff\xd8\xff", "a JPEG image"),
    (rb"\x89PNG\r\n\x1a\n", "a PNG image"),
    (rb"GIF8[79]a", "a GIF image"),
    (rb"II\*\0|MM\0\*", "a TIFF image"),
    (rb"\x7fELF", "a program"),
    (rb"\0\x05\x16[\0\x07]", "what macOS stores beside a file (AppleDouble)"),
    (rb"....(?:ftyp|moov|mdat)|\x1aE\xdf\xa3|RIFF....AVI |\0\0\x01[\xb3\xba]", "a video"),
    (rb"RIFF....WAVE|ID3" + _NO_TEXT + rb"|OggS|fLaC", "a sound file"),
)


def kind_of(head: bytes) -> str | None:
    """Returns what a file is, such as "a zip archive"; None if it may be anything else, a text for example.

    Args:
        head: its first bytes; 300 are enough.
    """
    return next((name for pattern, name in _SIGNATURES if re.match(pattern, head, re.DOTALL)), None)
