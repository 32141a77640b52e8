"""Images of too many pixels: refused before the pixels are there."""

from __future__ import annotations

import struct
import subprocess
import sys
import zlib
from pathlib import Path

import pytest
from PIL import Image

from maskmill.transforms.examples.image import decode_grey, known_formats
from maskmill.transforms.rejected import Code, DataError
from tests.support.builders import grey_pixels, image_bytes
from tests.support.command import ROOT

PIXELS = grey_pixels(1, 16, 24)
PNG = image_bytes(PIXELS, kind="PNG")

# Files of one pixel: their mode, a mark in them, how far behind it their size stands, and its form.
SIZES = {
    "JPEG": ("L", b"\xff\xc0", 5, ">HH"),
    "PNG": ("L", b"IHDR", 4, ">II"),
    "BMP": ("L", b"BM", 18, "<II"),
    "GIF": ("L", b"GIF", 6, "<HH"),
    "QOI": ("RGB", b"qoif", 4, ">II"),
    "SGI": ("L", b"\x01\xda", 6, ">HH"),
    "JPEG2000": ("L", b"ihdr", 4, ">II"),
    "PCX": ("L", b"\n\x05", 8, "<HH"),
}


def claim(kind: str, width: int, height: int) -> bytes:
    """A file of one pixel that says that it has so many."""
    if kind == "PPM":
        return b"P5 %d %d 255\n\0" % (width, height)
    if kind == "TIFF":
        data = image_bytes(PIXELS[:1, :1], kind=kind, mode="L")
        for tag, value in ((256, width), (257, height)):  # ImageWidth, ImageLength
            entry = struct.pack("<HHI", tag, 4, 1)
            at = data.index(entry) + 8
            data = data[:at] + struct.pack("<I", value) + data[at + 4 :]
        return data
    mode, mark, offset, form = SIZES[kind]
    data = image_bytes(PIXELS[:1, :1], kind=kind, mode=mode)
    at = data.index(mark) + offset
    size = struct.pack(form, *((height, width) if kind in ("JPEG", "JPEG2000") else (width, height)))
    data = data[:at] + size + data[at + len(size) :]
    if kind == "PNG":
        crc = struct.pack(">I", zlib.crc32(data[at - 4 : at + 13]))
        data = data[: at + 13] + crc + data[at + 17 :]
    return data


def gif_with_disposal(width: int, height: int) -> bytes:
    """A GIF whose frame is larger than its screen, and is to be filled with background for the next."""
    screen = b"GIF89a" + struct.pack("<HH", 1, 1) + b"\0\0\0"
    return screen + b"!\xf9\x04\x08\0\0\0\0," + struct.pack("<HHHH", 0, 0, width, height) + b"\0\x08\x01\0\0;"


def webp(width: int, height: int) -> bytes:
    chunk = b"\x2f" + struct.pack("<I", (width - 1) | (height - 1) << 14) + bytes(9)
    return b"RIFF" + struct.pack("<I", 26) + b"WEBPVP8L" + struct.pack("<I", 14) + chunk


BOMBS = {kind: claim(kind, 60_000, 30_000) for kind in (*SIZES, "PPM", "TIFF")} | {
    "GIF with disposal": gif_with_disposal(60_000, 30_000),
    "WEBP": webp(16_000, 16_000),
}


@pytest.mark.parametrize("kind", BOMBS)
def test_an_image_of_too_many_pixels_is_refused(kind: str) -> None:
    with pytest.raises(DataError) as caught:
        decode_grey(BOMBS[kind])
    assert caught.value.code is Code.IMAGE_TOO_LARGE
    assert "more than 100000000; make it smaller, or raise maskmill.max_image_pixels" in caught.value.message


# In a process of its own, whose peak of memory is not that of other tests. (`ru_maxrss` would begin with the parent's.)
MEASURE = """
from tests.transforms.examples.test_image_size import BOMBS, PNG, DataError, decode_grey
def peak():
    [line] = [line for line in open("/proc/self/status") if line.startswith("VmHWM:")]
    return int(line.split()[1]) // 1024
decode_grey(PNG)
before = peak()
for data in BOMBS.values():
    try:
        decode_grey(data)
    except DataError:
        pass
print(peak() - before)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of memory is read from /proc")
def test_images_of_too_many_pixels_are_refused_before_there_are_any() -> None:
    done = subprocess.run([sys.executable, "-c", MEASURE], cwd=ROOT, capture_output=True, text=True, check=True)
    assert int(done.stdout) < 50, "MiB"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "TIFF"])
def test_the_bound_is_the_callers_and_not_that_of_pillow(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    known_formats.cache_clear()  # as in a process that begins
    data = image_bytes(PIXELS, kind=kind, mode="L")
    assert decode_grey(data, PIXELS.size).shape == PIXELS.shape
    with pytest.raises(DataError, match="24 x 16 pixels, more than 383"):
        decode_grey(data, PIXELS.size - 1)
