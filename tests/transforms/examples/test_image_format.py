"""A file that is not read is called what it is, with the likely cause."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import pickle
import zipfile

import numpy as np
import pytest
from PIL import Image

from maskmill.transforms.examples.image import decode_grey, known_formats
from maskmill.transforms.examples.image_format import FORMATS, image_format, other_file
from maskmill.transforms.rejected import Code, DataError
from tests.support.builders import grey_pixels, image_bytes

PIXELS = grey_pixels(1, 16, 24)
JPEG, PNG = image_bytes(PIXELS), image_bytes(PIXELS, kind="PNG")


def zipped(name: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        file.writestr(name, JPEG)
    return stream.getvalue()


def saved(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


NO_IMAGES = {
    "a web page": [
        b"<html>not found</html>",
        b"\n\n<!DOCTYPE html><html>",
        b"\xef\xbb\xbf<!doctype HTML>",
        b"<!-- saved --><html>",
        b'<?xml version="1.0"?><!DOCTYPE html PUBLIC "">',
        b"<html><svg></svg></html>",
    ],
    "an XML document": [b'<?xml version="1.0" encoding="UTF-8"?><Error><Code>AccessDenied</Code>', b"<Error>"],
    "text: 'Access denied: log in'": [b"Access denied:\n  log in\n", b"\xef\xbb\xbfAccess denied: log in"],
    "text: 'Größe'": ["Größe".encode(), "Größe".encode("utf-16")],
    "text: 'ImageId,ClassId,EncodedPixels a.jpg,3,1 '": [b"ImageId,ClassId,EncodedPixels\na.jpg,3,1 2\n" * 1000],
    "text: 'P1,P2'": [b"P1,P2\n"],
    "text: 'BMW is a maker of cars'": [b"BMW is a maker of cars"],
    "text: ''": [b" \n"],
    "git lfs pull": [b"version https://git-lfs.github.com/spec/v1\noid sha256:abc\nsize 1\n"],
    "the base64 text of an image": [b"/9j/4AAQSkZJRg", b"iVBORw0KGgoAAAA", b"data:image/png;base64,iVBOR"],
    "a zip archive": [zipped("a.jpg")],
    "a gzip archive": [gzip.compress(JPEG)],
    "a bzip2 archive": [bz2.compress(JPEG)],
    "an xz archive": [lzma.compress(JPEG)],
    "a PDF document": [b"%PDF-1.4\n"],
    "an HDF5 file": [b"\x89HDF\r\n\x1a\n"],
    "a NumPy array": [saved(PIXELS)],
    "a Python pickle": [pickle.dumps({1: 2})],
    "a video": [b"\0\0\0\x18ftypisom\0\0\0\0isom"],
    "AppleDouble": [b"\0\5\x16\7\0\2\0\0Mac OS X        "],
    "nothing except zeros": [bytes(5000), b"\0"],
    "not an image in a format that is known": [np.random.default_rng(0).bytes(1000), "Größe".encode("latin1")],
}

OTHER_IMAGES = {
    "an SVG drawing": [b"<svg xmlns='x'><title>a</title></svg>", b'<?xml version="1.0"?>\n<!-- c -->\n<svg width="1">'],
    "HEIC": [b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(50), b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic" + bytes(50)],
    "PSD": [b"8BPS\0\1" + bytes(50)],
    "DICOM": [bytes(128) + b"DICM" + bytes(50)],
    "a raw image of a camera": [
        b"II*\0\x10\0\0\0CR\2\0" + bytes(50),
        b"\0\0\0\x18ftypcrx \0\0\0\1" + bytes(50),
        b"FUJIFILMCCD-RAW 0201",
        b"IIRO\x08\0\0\0",
    ],
    "EPS": [image_bytes(PIXELS, kind="EPS")],
    "TGA": [image_bytes(PIXELS, kind="TGA")],
    "DDS": [image_bytes(PIXELS, kind="DDS")],
    "ICO": [image_bytes(PIXELS, kind="ICO")],
    "ICNS": [b"icns" + bytes(50)],
    "JPEG XL": [b"\xff\x0a" + bytes(50), b"\0\0\0\x0cJXL \r\n\x87\n"],
    "PAM": [b"P7\nWIDTH 1\n"],
}

DAMAGED_IMAGES = {
    "line ends were changed": [PNG.replace(b"\r\n", b"\n"), PNG.replace(b"\n", b"\r\n")],
    "saved as text": [data.decode("utf-8", "replace").encode() for data in (JPEG, PNG)],
    "a PNG whose beginning is damaged": [PNG[:4], b"\x89PNG" + bytes(50)],
    "only at byte 45, after other data": [b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\n\r\n" + JPEG],
    "only at byte 3, after other data": [b"\xef\xbb\xbf" + PNG],
    "only at byte 1, after other data": [b"\n" + JPEG],
    "a part of the header is missing": [b"GIF89a", b"II*\0", b"BM", b"qoif", JPEG[:3]],
}

CASES = [
    (code, words, data)
    for code, kinds in (
        (Code.IMAGE_NOT_RECOGNISED, NO_IMAGES),
        (Code.IMAGE_FORMAT_UNSUPPORTED, OTHER_IMAGES),
        (Code.IMAGE_DAMAGED, DAMAGED_IMAGES),
    )
    for words, files in kinds.items()
    for data in files
]
MENDS = {
    Code.IMAGE_NOT_RECOGNISED: "replace or remove it",
    Code.IMAGE_FORMAT_UNSUPPORTED: "convert it to PNG or JPEG",
    Code.IMAGE_DAMAGED: "again from its source",
}


@pytest.mark.parametrize(("code", "words", "data"), CASES, ids=[words for _, words, _ in CASES])
def test_a_file_that_is_not_read_is_called_what_it_is(code: Code, words: str, data: bytes) -> None:
    with pytest.raises(DataError) as caught:
        decode_grey(data)
    assert words in caught.value.message
    assert MENDS[code] in caught.value.message
    assert caught.value.code is code


@pytest.mark.parametrize("kind", sorted(known_formats()))
def test_every_format_that_is_read_is_recognised_by_its_first_bytes(kind: str) -> None:
    data = image_bytes(PIXELS, kind=kind)
    assert image_format(data) == kind
    assert decode_grey(data).shape == PIXELS.shape


def test_what_this_build_of_pillow_lacks_is_not_called_damaged(monkeypatch: pytest.MonkeyPatch) -> None:
    data = image_bytes(PIXELS, kind="WEBP") if "WEBP" in known_formats() else b"RIFF\0\0\0\0WEBPVP8 "
    monkeypatch.setattr("maskmill.transforms.examples.image.features.check", lambda name: name != "webp")
    known_formats.cache_clear()
    with pytest.raises(DataError, match="WebP image, which this build of Pillow does not read") as caught:
        decode_grey(data)
    known_formats.cache_clear()
    assert caught.value.code is Code.IMAGE_FORMAT_UNSUPPORTED


def test_pillow_opens_each_format_under_the_name_that_is_used_here() -> None:
    known_formats()
    assert FORMATS.keys() <= Image.OPEN.keys()


@pytest.mark.parametrize(
    "unit", [b"<!--", b"<!-- -->", b"<", b"<svg", b" ", b"\xef\xbf\xbd", b"\0\0\0\0ftyp", b"<html"]
)
@pytest.mark.timeout(60)  # an expression that tries again and again would take hours
def test_no_file_makes_the_expressions_hang(unit: bytes) -> None:
    for before in (b"", b"<", b"<?xml"):
        image_format(before + unit * 10_000)
        other_file(before + unit * 10_000)
