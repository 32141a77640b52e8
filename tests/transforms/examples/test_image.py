"""Image files become grey or RGB pixels, or are rejected with a reason."""

from __future__ import annotations

import contextlib
import io
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, features

from maskmill.transforms.examples.image import (
    _MODES,
    _SIXTEEN_BIT_MODES,
    _load_planes,
    decode_grey,
    decode_planes,
    is_image_name,
    known_formats,
)
from maskmill.transforms.rejected import Code, DataError
from tests.support.builders import grey_pixels, image_bytes
from tests.support.command import ROOT
from tests.support.image_files import tiff

PIXELS = grey_pixels(1, 16, 24)


@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_jpeg_gives_the_pixels_that_pillow_converts_to_grey(mode: str) -> None:
    data = image_bytes(PIXELS, mode=mode)
    assert np.array_equal(decode_grey(data), np.asarray(Image.open(io.BytesIO(data)).convert("L")))


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "GIF"])
@pytest.mark.parametrize("mode", ["RGB", "L", "P"])
def test_other_formats_are_read_to_the_bit(kind: str, mode: str) -> None:
    grey = (PIXELS // 4) * 4  # few enough for a palette
    assert np.array_equal(decode_grey(image_bytes(grey, mode=mode, kind=kind)), grey)


COLOURS = np.random.default_rng(5).integers(0, 256, (16, 24, 3), np.uint8)
RGB_FILES = [
    *[("PNG", mode) for mode in ("1", "L", "LA", "P", "RGB", "RGBA")],
    *[("TIFF", mode) for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK")],
    *[
        ("GIF", "P"),
        ("BMP", "RGB"),
        ("PCX", "P"),
        ("PPM", "RGB"),
        ("SGI", "RGBA"),
        ("QOI", "RGBA"),
        ("JPEG2000", "RGB"),
    ],
    *[("JPEG", mode) for mode in ("L", "RGB", "CMYK")],
]


@pytest.mark.parametrize(("kind", "mode"), RGB_FILES, ids=str)
def test_colours_become_the_rgb_of_pillow(kind: str, mode: str) -> None:
    stream = io.BytesIO()
    Image.fromarray(COLOURS).convert(mode).save(stream, kind)
    planes = decode_planes(stream.getvalue(), rgb=True)
    expected = np.asarray(Image.open(stream).convert("RGB")).transpose(2, 0, 1)
    assert len(planes) == (1 if mode in ("1", "L", "LA") else 3)
    assert np.array_equal(np.broadcast_to(planes, (3, 16, 24)), expected)
    assert planes.flags.c_contiguous


@pytest.mark.parametrize("mode", sorted(_MODES - _SIXTEEN_BIT_MODES - {"La"}))  # Pillow opens no file as La
def test_whatever_has_a_grey_has_an_rgb(mode: str) -> None:
    image = Image.new(mode, (3, 2))
    assert _load_planes(image, rgb=False).shape == (1, 2, 3)
    assert np.array_equal(
        np.broadcast_to(_load_planes(image, rgb=True), (3, 2, 3)), np.asarray(image.convert("RGB")).transpose(2, 0, 1)
    )


def test_a_palette_with_transparency_keeps_its_colours() -> None:
    stream = io.BytesIO()
    Image.fromarray(COLOURS).quantize(16).save(stream, "PNG", transparency=3)
    expected = np.asarray(Image.open(stream).convert("RGB")).transpose(2, 0, 1)
    assert np.array_equal(decode_planes(stream.getvalue(), rgb=True), expected)


def test_of_sixteen_bits_the_upper_eight_are_kept() -> None:
    stream = io.BytesIO()
    Image.fromarray(PIXELS.astype(np.uint16) * 256 + 77).save(stream, "PNG")
    assert np.array_equal(decode_grey(stream.getvalue()), PIXELS)
    assert np.array_equal(decode_planes(stream.getvalue(), rgb=True), PIXELS[np.newaxis])


def test_exif_orientation_is_not_applied() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    assert decode_grey(image_bytes(PIXELS, exif=exif)).shape == PIXELS.shape


def test_the_orientation_of_a_tiff_is_applied_as_by_pillow() -> None:
    data = tiff(PIXELS, (274, 3, 1, 6))
    assert np.array_equal(decode_grey(data), np.rot90(PIXELS, -1))
    assert np.array_equal(decode_grey(data), np.asarray(Image.open(io.BytesIO(data)).convert("L")))


JPEG = image_bytes(grey_pixels(2, 64, 96), quality=95)
PNG = image_bytes(PIXELS, kind="PNG")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", Code.IMAGE_EMPTY),
        (b"<html>not found</html>", Code.IMAGE_NOT_RECOGNISED),
        (JPEG[:2], Code.IMAGE_DAMAGED),
        (JPEG[:20], Code.IMAGE_DAMAGED),
        (JPEG[: len(JPEG) // 10], Code.IMAGE_DAMAGED),
        (JPEG[: len(JPEG) // 2], Code.IMAGE_DAMAGED),
        (JPEG[: len(JPEG) * 99 // 100], Code.IMAGE_DAMAGED),
        (PNG[: len(PNG) // 2], Code.IMAGE_DAMAGED),
    ],
)
def test_what_is_not_a_whole_image_is_refused(data: bytes, code: Code) -> None:
    for rgb in (False, True):
        with pytest.raises(DataError) as caught:
            decode_planes(data, rgb=rgb)
        assert caught.value.code is code


def lab_bytes() -> bytes:
    stream = io.BytesIO()
    Image.merge("LAB", [Image.fromarray(PIXELS)] * 3).save(stream, "TIFF")
    return stream.getvalue()


@pytest.mark.parametrize("mode", ["F", "I", "LAB"])
def test_pixels_without_a_grey_value_of_8_or_16_bits_are_refused(mode: str) -> None:
    for rgb in (False, True):
        with pytest.raises(DataError) as caught:
            decode_planes(lab_bytes() if mode == "LAB" else image_bytes(PIXELS, mode=mode, kind="TIFF"), rgb=rgb)
        assert caught.value.code is Code.IMAGE_MODE_UNSUPPORTED


@pytest.mark.parametrize("kind", ["GIF", "PNG", "TIFF", "WEBP"])
def test_a_file_of_several_images_is_refused(kind: str) -> None:
    with pytest.raises(DataError) as caught:
        decode_grey(two_images(kind))
    assert caught.value.code is Code.IMAGE_SEVERAL_FRAMES


def test_of_an_mpo_the_first_image_counts() -> None:
    data = two_images("MPO")
    assert np.array_equal(decode_grey(data), np.asarray(Image.open(io.BytesIO(data)).convert("L")))


def two_images(kind: str) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(PIXELS).save(stream, kind, save_all=True, append_images=[Image.fromarray(255 - PIXELS)])
    return stream.getvalue()


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_a_jpeg_of_which_pillow_shows_only_a_part_is_refused(mode: str) -> None:
    data = image_bytes(grey_pixels(2, 64, 96), mode=mode, quality=95)
    middle = data.index(b"\xff\xda") + 1000
    cut_short = data[:middle] + b"\xff\xd9" + data[middle + 2 :]
    Image.open(io.BytesIO(cut_short)).load()  # no error
    for rgb in (False, True):
        with pytest.raises(DataError, match="although part or all of it can be shown") as caught:
            decode_planes(cut_short, rgb=rgb)
        assert caught.value.code is Code.IMAGE_PARTLY_DAMAGED


def jpeg_sampled(sampling: list[int], units: int) -> bytes:
    """A JPEG of 96 x 64 in one grey, its colours sampled so: a byte each, columns and rows; so many units in it."""
    data = bytearray(image_bytes(np.full((64, 96), 128, np.uint8), mode="RGB", subsampling=0))
    frame, scan = data.index(b"\xff\xc0"), data.index(b"\xff\xda")
    data[frame + 11 : frame + 18 : 3] = bytes(sampling)
    blocks = [(both >> 4) * (both & 15) for both in sampling]
    # Every block is a difference of 0 and an end, in the codes of Pillow's tables.
    bits = ("001010" * blocks[0] + "0000" * (blocks[1] + blocks[2])) * units
    bits += "1" * (-len(bits) % 8)
    return bytes(data[: scan + 14]) + int(bits, 2).to_bytes(len(bits) // 8, "big") + b"\xff\xd9"


@pytest.mark.parametrize(
    ("sampling", "units"),
    [([0x11] * 3, 96), ([0x22, 0x11, 0x11], 24), ([0x41, 0x11, 0x11], 24), ([0x14, 0x11, 0x11], 24)],
)
def test_colours_may_be_sampled_in_any_usual_way(sampling: list[int], units: int) -> None:
    assert (decode_grey(jpeg_sampled(sampling, units)) == 128).all()


def test_a_jpeg_that_only_pillow_can_decode_is_refused() -> None:
    data = jpeg_sampled([0x42, 0x11, 0x11], 12)  # 4:1:0
    Image.open(io.BytesIO(data)).load()
    with pytest.raises(DataError, match="Could not determine subsampling") as caught:
        decode_grey(data)
    assert caught.value.code is Code.IMAGE_PARTLY_DAMAGED


def test_a_png_whose_checksum_is_wrong_is_refused() -> None:
    at = PNG.index(b"IDAT") + 30
    with pytest.raises(DataError, match="checksum") as caught:
        decode_grey(PNG[:at] + bytes([PNG[at] ^ 1]) + PNG[at + 1 :])
    assert caught.value.code is Code.IMAGE_DAMAGED


def test_what_pillow_has_another_program_draw_is_not_read() -> None:
    with pytest.raises(DataError, match="EPS") as caught:
        decode_grey(image_bytes(PIXELS, kind="EPS"))
    assert caught.value.code is Code.IMAGE_FORMAT_UNSUPPORTED


@pytest.mark.parametrize(
    ("at", "value", "code", "words"),
    [
        (4, b"\x0c", Code.IMAGE_MODE_UNSUPPORTED, "samples of 12 bits"),
        (1, b"\xc3", Code.IMAGE_FORMAT_UNSUPPORTED, "lossless, hierarchical or arithmetic-coded"),
        (1, b"\xf7", Code.IMAGE_FORMAT_UNSUPPORTED, "lossless, hierarchical or arithmetic-coded"),
    ],
)
def test_a_jpeg_of_another_kind_is_not_called_damaged(at: int, value: bytes, code: Code, words: str) -> None:
    frame = JPEG.index(b"\xff\xc0")
    with pytest.raises(DataError, match=words) as caught:
        decode_grey(JPEG[: frame + at] + value + JPEG[frame + at + 1 :])
    assert caught.value.code is code


OTHER_FORMS = {
    "BMP": (image_bytes(PIXELS, kind="BMP").replace(struct.pack("<I", 40), struct.pack("<I", 16)), "header type"),
    "TIFF": (
        image_bytes(PIXELS, kind="TIFF").replace(b"\3\1\3\0\1\0\0\0\1\0", b"\3\1\3\0\1\0\0\0\x63\0"),
        "unknown: 99",
    ),
    "SGI": (image_bytes(PIXELS, kind="SGI", mode="L").replace(b"\1\xda\0\1", b"\1\xda\0\3"), "Unsupported SGI"),
}


@pytest.mark.parametrize(("data", "words"), OTHER_FORMS.values(), ids=OTHER_FORMS)
def test_a_form_that_pillow_does_not_read_is_not_called_damaged(data: bytes, words: str) -> None:
    with pytest.raises(DataError, match=words) as caught:
        decode_grey(data)
    assert caught.value.code is Code.IMAGE_FORMAT_UNSUPPORTED


def test_a_pgm_of_16_bits_is_read_whatever_its_highest_value() -> None:
    for highest, factor in ((65535, 257), (4095, 16)):
        body = (PIXELS.astype(int) * factor).astype(">u2").tobytes()
        assert np.array_equal(decode_grey(b"P5 24 16 %d\n" % highest + body), PIXELS)


def test_warnings_of_other_threads_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("warnings.catch_warnings", None)
    assert decode_grey(PNG).shape == PIXELS.shape


WRITTEN = [
    *[("JPEG", mode, {}) for mode in ("L", "RGB", "CMYK")],
    ("JPEG", "RGB", {"progressive": True}),
    *[("PNG", mode, {}) for mode in ("1", "L", "P", "RGBA", "I;16")],
    *[("GIF", "P", {}), ("BMP", "1", {}), ("BMP", "RGB", {}), ("PCX", "P", {}), ("PCX", "RGB", {})],
    *[("PPM", "1", {}), ("PPM", "RGB", {}), ("SGI", "L", {}), ("QOI", "RGB", {}), ("JPEG2000", "RGB", {})],
    *[("TIFF", "I;16", {}), ("TIFF", "L", {"tile": (16, 16)}), ("TIFF", "1", {"compression": "group4"})],
    *[("TIFF", "RGB", {"compression": name}) for name in ("tiff_lzw", "tiff_adobe_deflate", "jpeg", "packbits")],
    *[(name, "RGB", {}) for name in ("WEBP", "AVIF") if features.check(name.lower())],
]


@pytest.mark.filterwarnings("ignore")  # of Pillow, about what is wrong with the files
@pytest.mark.parametrize(("kind", "mode", "options"), WRITTEN, ids=str)
def test_whatever_is_wrong_with_a_file_only_a_data_error_comes_of_it(kind: str, mode: str, options: dict) -> None:
    data = image_bytes((PIXELS // 4) * 4, kind=kind, mode=mode, **options)
    assert decode_grey(data).shape == PIXELS.shape
    random = np.random.default_rng(len(data))
    for _ in range(300):
        with contextlib.suppress(DataError):
            decode_planes(damaged(data, random), max_pixels=10**6, rgb=bool(random.integers(2)))


def damaged(data: bytes, random: np.random.Generator) -> bytes:
    """The file cut off, or with a byte of its beginning replaced, or a bit flipped, or several bytes replaced."""
    where, kind = random.integers(len(data)), random.integers(4)
    if kind == 0:
        return data[:where]
    spoilt = bytearray(data)
    if kind == 1:
        spoilt[where % 200] = random.integers(256)
    elif kind == 2:
        spoilt[where] ^= 1 << random.integers(8)
    else:
        for at in random.integers(len(data), size=4):
            spoilt[at] = random.choice([0, 255, 127, random.integers(256)])
    return bytes(spoilt)


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
from tests.transforms.examples.test_image import BOMBS, PNG, DataError, decode_grey
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


def test_a_name_is_that_of_an_image_by_its_extension() -> None:
    names = ["a.jpg", "a.JPEG", "a.png", "b.tif", "a.csv", "jpg", "a.jpg.gz", "a.eps", "a.tga", ""]
    assert [name for name in names if is_image_name(name)] == ["a.jpg", "a.JPEG", "a.png", "b.tif"]
