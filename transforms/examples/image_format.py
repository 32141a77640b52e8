"""Tells what a file is by its first bytes: the format of an image, or what else it seems to be."""

from __future__ import annotations

import codecs
import re
from typing import NamedTuple

from maskmill.transforms.files.signatures import kind_of
from maskmill.transforms.rejected import Code, DataError

# As far as a signature, or an image that begins later, is looked for.
_HEAD_BYTES = 4096
_TEXT_BYTES, _SHOWN_CHARACTERS = 1000, 40

# Formats that have a signature and give their size before any pixel, by Pillow's name. Pillow knows more formats, but
# takes almost any file for TGA, and runs another program to draw EPS.
FORMATS: dict[str, bytes] = {
    "JPEG": rb"\xff\xd8",
    "PNG": rb"\x89PNG\r\n\x1a\n",
    "GIF": rb"GIF8[79]a",
    "TIFF": rb"(?:II|MM)(?:[*+]\0|\0[*+])(?!....CR)",
    "WEBP": rb"RIFF....WEBP",
    "BMP": rb"BM(?![\t\r\n -~]{8})",  # no text
    "JPEG2000": rb"\xff\x4f\xff\x51|\0\0\0\x0cjP  \r\n\x87\n",
    "AVIF": rb"....ftyp(?:avi[fs]|(?:mif1|msf1).{,200}?avif)",
    "PPM": rb"P[0-6fy][\s#]",
    "PCX": rb"\n[\0\x02\x03\x05]",
    "SGI": rb"\x01\xda",
    "QOI": rb"qoif",
}

_OTHER, _DAMAGED, _NONE = Code.IMAGE_FORMAT_UNSUPPORTED, Code.IMAGE_DAMAGED, Code.IMAGE_NOT_RECOGNISED
_WORDS = {
    _OTHER: "the file is {}; this format is not read: convert it to PNG or JPEG",
    _DAMAGED: "the file is {}; copy it again from its source",
    _NONE: "the file is not an image, but {}; replace or remove it",
}


class _Kind(NamedTuple):
    """What a file may be: the code of its refusal, the pattern of its beginning, and its name with the likely cause."""

    code: Code
    pattern: bytes
    name: str


_BLANKS = rb"(?:\xef\xbb\xbf)?\s*"
# The first that fits counts.
_KINDS = [
    _Kind(_DAMAGED, rb"\x89PNG\r*\n\x1a\r*\n", "a PNG whose line ends were changed, as by a transfer in text mode"),
    _Kind(_DAMAGED, rb"\x89PNG", "a PNG whose beginning is damaged or cut off"),
    _Kind(_DAMAGED, rb"(?:\xef\xbf\xbd)+(?:PNG|\0.{,8}(?:JFIF|Exif))", "an image that was saved as text by a program"),
    _Kind(_OTHER, rb"....ftyp(?:he[iv][cmsx]|mif1|msf1)", "a HEIC (HEIF) image"),
    _Kind(_OTHER, rb"II\*\0....CR|....ftypcrx |FUJIFILMCCD|IIR[OS]|MMOR|IIU\0|FOVb|\0MRM", "a raw image of a camera"),
    _Kind(_OTHER, rb"....ftypavi[fs]", "an AVIF image, which this build of Pillow does not read"),
    _Kind(_OTHER, rb"RIFF....WEBP", "a WebP image, which this build of Pillow does not read"),
    _Kind(_OTHER, rb"8BPS", "a Photoshop document (PSD)"),
    _Kind(_OTHER, rb".{128}DICM", "a DICOM image"),
    _Kind(_OTHER, rb"%!PS|\xc5\xd0\xd3\xc6", "a PostScript drawing (EPS)"),
    _Kind(_OTHER, rb"\xff\x0a|\0\0\0\x0cJXL \r\n\x87\n", "a JPEG XL image"),
    _Kind(_OTHER, rb"II\xbc\x01", "a JPEG XR image"),
    _Kind(_OTHER, rb"v/1\x01", "an OpenEXR image"),
    _Kind(_OTHER, rb"#\?R(?:ADIANCE|GBE)", "a Radiance HDR image"),
    _Kind(_OTHER, rb"DDS ", "a DDS texture"),
    _Kind(_OTHER, rb"\0\0[\x01\x02]\0[^\0]\0", "a Windows icon (ICO, CUR)"),
    _Kind(_OTHER, rb"icns", "a macOS icon (ICNS)"),
    _Kind(_OTHER, rb"gimp xcf", "a GIMP document (XCF)"),
    _Kind(_OTHER, rb"\x8aMNG|\x8bJNG", "an MNG or JNG image"),
    _Kind(_OTHER, rb"SIMPLE  =", "a FITS image"),
    _Kind(_OTHER, rb"P7[\s#]", "a PAM image"),
    _Kind(_OTHER, rb"/\* XPM \*/|#define \w+_width", "an XPM or XBM image"),
    _Kind(_OTHER, rb"BPG\xfb|FLIF", "a BPG or FLIF image"),
    _Kind(_OTHER, rb"AT&TFORM", "a DjVu document"),
    _Kind(_OTHER, rb"\xd7\xcd\xc6\x9a|\x01\0\0\0.{36} EMF", "a Windows metafile (WMF, EMF)"),
    _Kind(
        _NONE, rb"version https://git-lfs", "a pointer of Git LFS; `git lfs pull` in its repository fetches the image"
    ),
    _Kind(
        _NONE,
        rb"(?i)"
        + _BLANKS
        + rb"<(?:(?:!doctype\s+html|html|head|body|script|title|meta|h1|p)\b|.{,1000}?<(?:!doctype\s+)?html\b)",
        "a web page: the download failed, or needs a login",
    ),
    _Kind(_OTHER, _BLANKS + rb"<(?:.*?<)?svg[\s>]", "an SVG drawing"),
    _Kind(_NONE, _BLANKS + rb"<(?:\?xml|Error>)", "an XML document, as some servers send when they refuse a download"),
    _Kind(_NONE, rb"data:image/|/9j/|iVBORw0KGgo|R0lGOD", "the base64 text of an image, which is still to be decoded"),
]


def image_format(data: bytes) -> str | None:
    """Returns Pillow's name of the format of an image; None if the file is in none of `FORMATS`."""
    head = data[:_HEAD_BYTES]
    return next((name for name, pattern in FORMATS.items() if re.match(pattern, head, re.DOTALL)), None)


def other_file(data: bytes) -> DataError:
    """Says what a file is that is in none of `FORMATS`."""
    head = data[:_HEAD_BYTES]
    for code, pattern, name in _KINDS:
        if re.match(pattern, head, re.DOTALL):
            return DataError(code, _WORDS[code].format(name))
    if (kind := kind_of(head)) is not None:
        return DataError(_NONE, _WORDS[_NONE].format(kind))
    begin = re.search(rb"\xff\xd8\xff[\xc0-\xfe]|\x89PNG\r\n\x1a\n", head)
    if begin is not None:
        return DataError(
            Code.IMAGE_DAMAGED,
            f"the image begins only at byte {begin.start()}, after other data; remove that, or copy the image again "
            "from its source",
        )
    if data.endswith(b"TRUEVISION-XFILE.\0"):
        return DataError(_OTHER, _WORDS[_OTHER].format("a TGA image"))
    if not data.strip(b"\0"):
        return DataError(
            _NONE, _WORDS[_NONE].format("nothing except zeros, as a failed download or a full disk leaves")
        )
    text = _text_of(head[:_TEXT_BYTES])
    if text is not None:
        return DataError(_NONE, _WORDS[_NONE].format(f"text: {text[:_SHOWN_CHARACTERS]!r}"))
    return DataError(_NONE, "the file is not an image in a format that is known; replace or remove it")


def _text_of(head: bytes) -> str | None:
    """Returns the words of a text in UTF-8 or UTF-16, a blank between them; None if it is no text."""
    encoding = "utf-16" if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
    try:
        text = " ".join(codecs.getincrementaldecoder(encoding)().decode(head).split())
    except UnicodeDecodeError:
        return None
    return text if text.isprintable() else None
