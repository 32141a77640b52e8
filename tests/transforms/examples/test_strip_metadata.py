"""What stands beside the pixels of an image is left out; what decides them stays, and damage of it is told."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from PIL import Image, features

from maskmill.transforms.examples.image import decode_grey
from maskmill.transforms.examples.strip_metadata import strip_metadata
from maskmill.transforms.rejected import Code, DataError
from tests.support.builders import grey_pixels, image_bytes
from tests.support.image_files import (
    Tag,
    directories,
    gif_extension,
    jpeg_segment,
    png_chunk,
    riff_chunk,
    tiff,
    webp_of,
    with_gif_blocks,
    with_jpeg_segments,
    with_png_chunk,
)

PIXELS = grey_pixels(1, 16, 24)
MIB = 2**20
PNG = image_bytes(PIXELS, kind="PNG")
PALETTE = image_bytes(PIXELS // 4 * 4, kind="PNG", mode="P")
GIF = image_bytes(PIXELS, kind="GIF", mode="L")
JPEG = image_bytes(PIXELS)
CMYK = image_bytes(PIXELS, mode="CMYK")
HUGE_TEXT = zlib.compress(bytes(8 * MIB))


def frame_control(number: int = 0) -> bytes:
    return png_chunk(b"fcTL", struct.pack(">IIIIIHHBB", number, 24, 16, 0, 0, 1, 1, 0, 0))


PNG_CHUNKS = {
    "no chunk": b"",
    "compressed text": png_chunk(b"zTXt", b"Comment\0\0" + HUGE_TEXT),
    "international text": png_chunk(b"iTXt", b"Comment\0\1\0\0\0" + HUGE_TEXT),
    "long text": png_chunk(b"tEXt", b"Comment\0" + b"x" * 2 * MIB),
    "many texts": png_chunk(b"tEXt", b"Comment\0" + b"x" * 60_000) * 1500,
    "text without end": png_chunk(b"tEXt", b"Comment"),
    "text of no stream": png_chunk(b"zTXt", b"Comment\0\0" + b"x" * 100),
    "text of unknown compression": png_chunk(b"zTXt", b"Comment\0\7" + HUGE_TEXT),
    "large profile": png_chunk(b"iCCP", b"ICC\0\0" + HUGE_TEXT),
    "broken profile": png_chunk(b"iCCP", b"ICC\0\0" + b"x" * 100),
    "profile of unknown compression": png_chunk(b"iCCP", b"ICC\0\7x"),
    "empty profile": png_chunk(b"iCCP"),
    "two profiles": png_chunk(b"iCCP", b"ICC\0\0" + zlib.compress(b"x")) * 2,
    **{
        f"short {name}": png_chunk(name.encode(), b"\1")
        for name in ("pHYs", "gAMA", "cHRM", "sRGB", "tIME", "eXIf", "bKGD", "hIST", "sBIT", "sPLT", "oFFs", "tRNS")
    },
    "empty": b"".join(png_chunk(name) for name in (b"pHYs", b"gAMA", b"sRGB", b"tRNS", b"eXIf", b"acTL", b"fcTL")),
    "long pHYs": png_chunk(b"pHYs", bytes(100)),
    "transparency": png_chunk(b"tRNS", bytes(2)),
    "broken EXIF": png_chunk(b"eXIf", b"II*\0\xff\xff\xff\xff"),
    "unknown chunks": png_chunk(b"abCd", b"x" * 100) + png_chunk(b"zzZz"),
    "wrong checksum": png_chunk(b"tEXt", b"Comment\0x", wrong_checksum=True),
    "wrong checksum of a short one": png_chunk(b"pHYs", b"\1", wrong_checksum=True),
    "animation of one image": png_chunk(b"acTL", struct.pack(">II", 1, 0)) + frame_control(),
    "animation without its images": png_chunk(b"acTL", struct.pack(">II", 9, 0)) + frame_control(),
}


@pytest.mark.parametrize("before", [b"IHDR", b"IDAT", b"IEND"], ids=["first", "before pixels", "behind pixels"])
@pytest.mark.parametrize("chunks", PNG_CHUNKS.values(), ids=PNG_CHUNKS)
def test_ancillary_chunks_of_a_png_do_not_matter(chunks: bytes, before: bytes) -> None:
    assert np.array_equal(decode_grey(with_png_chunk(PNG, chunks, before)), PIXELS)


def test_chunks_between_those_of_the_pixels_do_not_matter() -> None:
    at, length = PNG.index(b"IDAT"), int.from_bytes(PNG[PNG.index(b"IDAT") - 4 :][:4], "big")
    body = PNG[at + 4 : at + 4 + length]
    parts = [png_chunk(b"IDAT", body[:50]), png_chunk(b"tEXt", b"a\0b"), png_chunk(b"IDAT", body[50:])]
    assert np.array_equal(decode_grey(PNG[: at - 4] + b"".join(parts) + PNG[at + length + 8 :]), PIXELS)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_the_stripped_png_has_the_pixels_of_the_whole(mode: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    stream, options = io.BytesIO(), {"exif": exif, "dpi": (72, 72), "icc_profile": b"p" * 300}
    image = Image.fromarray(PIXELS.astype(np.uint16) * 257) if mode == "I;16" else Image.fromarray(PIXELS).convert(mode)
    image.save(stream, "PNG", **options)
    data = stream.getvalue()
    stripped = strip_metadata(data, "PNG")
    assert len(stripped) < len(data) - 50
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(stripped))), np.asarray(image))


def flipped(data: bytes, at: int, bit: int = 1) -> bytes:
    return data[:at] + bytes([data[at] ^ bit]) + data[at + 1 :]


BROKEN_PNGS = {
    "IHDR": (flipped(PNG, PNG.index(b"IHDR") + 7), "checksum of chunk IHDR at byte 8"),
    "IDAT": (flipped(PNG, PNG.index(b"IDAT") + 30), "checksum of chunk IDAT"),
    "IDAT's checksum": (flipped(PNG, PNG.index(b"IEND") - 5), "checksum of chunk IDAT"),
    "IDAT's name": (flipped(PNG, PNG.index(b"IDAT"), 0x20), "without chunk IDAT"),
    "PLTE": (flipped(PALETTE, PALETTE.index(b"PLTE") + 9), "checksum of chunk PLTE"),
    "PLTE's name": (flipped(PALETTE, PALETTE.index(b"PLTE"), 0x20), "chunk PLTE is missing"),
    "IEND": (PNG[:-1] + b"\0", "checksum of chunk IEND"),
    "no IEND": (PNG[:-12], "cut off, without chunk IEND"),
    "half of IEND": (PNG[:-5], "cut off, without chunk IEND"),
    "half of IDAT": (PNG[:200], "cut off in chunk IDAT"),
    "only IHDR": (PNG[:33], "without chunk IDAT"),
    "only its mark": (PNG[:8], "header is missing"),
    "no IHDR": (PNG[:8] + PNG[33:], "header is missing"),
    "two headers": (PNG[:33] + PNG[8:], "header is missing or damaged"),
    "short header": (PNG[:8] + png_chunk(b"IHDR", PNG[16:28]) + PNG[33:], "header is missing or damaged"),
    "a length": (flipped(PNG, PNG.index(b"IDAT") - 1), "checksum"),
    "no name": (PNG[:33] + png_chunk(b"\0\0\0\0", b"x") + PNG[33:], "there is no chunk at byte 33"),
    "a comment cut off": (with_png_chunk(PNG, png_chunk(b"tEXt", b"x" * 99), b"IEND")[:-60], "cut off in chunk tEXt"),
}


@pytest.mark.parametrize(("data", "words"), BROKEN_PNGS.values(), ids=BROKEN_PNGS)
def test_damage_of_what_decides_the_pixels_of_a_png_is_told(data: bytes, words: str) -> None:
    with pytest.raises(DataError, match=words) as caught:
        decode_grey(data)
    assert caught.value.code is Code.IMAGE_DAMAGED


def test_a_png_that_needs_a_chunk_of_another_standard_is_not_called_damaged() -> None:
    with pytest.raises(DataError, match="chunk CgBI, which is not of the standard") as caught:
        decode_grey(with_png_chunk(PNG, png_chunk(b"CgBI", bytes(4)), b"IHDR"))
    assert caught.value.code is Code.IMAGE_FORMAT_UNSUPPORTED


GIF_BLOCKS = {
    "comment": gif_extension(0xFE, b"x" * 255),
    "comment of 40 MB": gif_extension(0xFE, *[b"x" * 255] * 160_000),
    "many comments": gif_extension(0xFE, b"x") * 10_000,
    "text": gif_extension(0x01, bytes(12), b"x" * 255),
    "application": gif_extension(0xFF, b"XMP DataXMP", b"x" * 255),
    "loop without number": gif_extension(0xFF, b"NETSCAPE2.0"),
    "short loop": gif_extension(0xFF, b"NETSCAPE2.0", b"\1"),
    "control": gif_extension(0xF9, b"\x09\0\0\0"),
    "short control": gif_extension(0xF9, b"\x08"),
    "empty control": gif_extension(0xF9),
    "unknown": gif_extension(0x07, b"x"),
}


@pytest.mark.timeout(60)  # Pillow alone takes minutes for many comments
@pytest.mark.parametrize("behind", [False, True])
@pytest.mark.parametrize("blocks", GIF_BLOCKS.values(), ids=GIF_BLOCKS)
def test_extensions_of_a_gif_do_not_matter(blocks: bytes, behind: bool) -> None:
    assert np.array_equal(decode_grey(with_gif_blocks(GIF, blocks, behind=behind)), PIXELS)


VP8L = image_bytes(PIXELS, kind="WEBP", lossless=True)[12:] if features.check("webp") else b""


def extended(flags: int) -> bytes:
    return riff_chunk(b"VP8X", bytes([flags, 0, 0, 0, 23, 0, 0, 15, 0, 0]))


WEBPS = {
    "plain": webp_of(VP8L),
    "EXIF of garbage": webp_of(extended(8), VP8L, riff_chunk(b"EXIF", b"garbage!")),
    "large EXIF": webp_of(extended(8), VP8L, riff_chunk(b"EXIF", b"x" * 2 * MIB)),
    "EXIF of an odd length": webp_of(extended(8), VP8L, riff_chunk(b"EXIF", b"abc")),
    "EXIF that says to be longer": webp_of(extended(8), VP8L, riff_chunk(b"EXIF", b"abcd", 400)),
    "EXIF cut off": webp_of(extended(8), VP8L, riff_chunk(b"EXIF", b"x" * 400))[:-100],
    "EXIF before the pixels": webp_of(riff_chunk(b"EXIF", b"abcd"), VP8L),
    "profile of garbage": webp_of(extended(32), riff_chunk(b"ICCP", b"zz"), VP8L),
    "no profile though announced": webp_of(extended(32), VP8L),
    "XMP of garbage": webp_of(extended(4), VP8L, riff_chunk(b"XMP ", b"<x")),
    "unknown chunks": webp_of(extended(0), riff_chunk(b"ABCD", b"abcd"), VP8L, riff_chunk(b"ABCD", b"abcd")),
    "a size too small": webp_of(VP8L, size=10),
    "a size too large": webp_of(VP8L, size=len(VP8L) + 400),
    "more behind it": webp_of(VP8L) + b"more",
}


@pytest.mark.skipif(not VP8L, reason="this build of Pillow does not read WebP")
@pytest.mark.parametrize("data", WEBPS.values(), ids=WEBPS)
def test_chunks_of_a_webp_do_not_matter(data: bytes) -> None:
    assert np.array_equal(decode_grey(data), PIXELS)


@pytest.mark.skipif(not VP8L, reason="this build of Pillow does not read WebP")
@pytest.mark.parametrize("options", [{"lossless": True}, {"quality": 80}, {"lossless": True, "exact": True}], ids=str)
@pytest.mark.parametrize("channels", [3, 4])
def test_a_stripped_webp_has_the_grey_of_the_whole(channels: int, options: dict[str, Any]) -> None:
    pixels = np.random.default_rng(channels).integers(0, 256, (33, 47, channels), np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "WEBP", exif=b"Exif\0\0x", icc_profile=b"p" * 300, **options)
    expected = np.asarray(Image.open(io.BytesIO(stream.getvalue())).convert("L"))
    assert np.array_equal(decode_grey(stream.getvalue()), expected)


TAGS: dict[str, list[Tag]] = {
    "no tag": [],
    "unknown type": [(700, 99, 1, 5)],
    "text beyond the end": [(270, 2, 10**6, 8)],
    "text of 2 GiB": [(270, 2, 2**31, 8)],
    "profile beyond the end": [(34675, 7, 10**6, 10**6)],
    "EXIF beyond the end": [(34665, 4, 1, 10**8)],
    "EXIF that is its own": [(34665, 4, 1, 8 + PIXELS.size)],
    "resolution as a text": [(282, 2, 4, 0x41424344)],
    "resolution beyond the end": [(282, 5, 1, 10**8), (283, 5, 1, 0)],
    "empty": [(270, 2, 0, 0), (305, 2, 0, 0)],
    "twice": [(270, 2, 4, 5), (270, 2, 4, 6)],
    "XMP, IPTC and Photoshop": [(700, 1, 4, 5), (33723, 4, 100, 8), (34377, 1, 100, 8)],
    "private": [(65000, 1, 4, 5), (65001, 16, 1, 8)],
    "of GeoTIFF": [(33550, 12, 3, 8), (34735, 3, 400, 8)],
    "a preview of nothing": [(254, 4, 1, 1)],
    "images below it": [(330, 4, 1, 10**6)],
}


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")  # of Pillow, about any BigTIFF
@pytest.mark.parametrize(("order", "big"), [("<", False), (">", False), ("<", True)])
@pytest.mark.parametrize("tags", TAGS.values(), ids=TAGS)
def test_tags_of_a_tiff_do_not_matter_beside_its_pixels(tags: list[Tag], order: str, big: bool) -> None:
    assert np.array_equal(decode_grey(tiff(PIXELS, *tags, order=order, big=big)), PIXELS)


@pytest.mark.parametrize("place", [8, 10**8, 8 + PIXELS.size, 4, 0], ids=str)
def test_a_next_directory_that_is_none_is_no_further_image(place: int) -> None:
    assert np.array_equal(decode_grey(tiff(PIXELS, next_directory=place)), PIXELS)


def test_a_next_directory_is_a_further_image() -> None:
    with pytest.raises(DataError) as caught:
        decode_grey(directories(PIXELS))
    assert caught.value.code is Code.IMAGE_SEVERAL_FRAMES


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("form", [3, 4])
def test_a_preview_is_not_taken_for_the_image(order: str, form: int) -> None:
    with pytest.raises(DataError, match="only a preview of another") as caught:
        decode_grey(tiff(PIXELS, (254, form, 1, 1), (330, 4, 1, 8), order=order))
    assert caught.value.code is Code.IMAGE_FORMAT_UNSUPPORTED


SEGMENTS = {
    "comments": [jpeg_segment(0xFE, b"x" * 65_533)] * 40,
    "short JFIF": [jpeg_segment(0xE0, b"JFIF\0")],
    "another JFIF": [jpeg_segment(0xE0, b"JFIF\0\x09\x09\0\0\1\0\1\0\0")],
    "EXIF of garbage": [jpeg_segment(0xE1, b"Exif\0\0garbage")],
    "EXIF that refers beyond": [jpeg_segment(0xE1, b"Exif\0\0II*\0\xff\xff\xff\x7f")],
    "EXIF whose directory is its own": [
        jpeg_segment(0xE1, b"Exif\0\0II*\0\x08\0\0\0\1\0\x69\x87\4\0\1\0\0\0\x08\0\0\0")
    ],
    "XMP": [jpeg_segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0<x" + b"x" * 60_000)] * 20,
    "profile that is cut off": [jpeg_segment(0xE2, b"ICC_PROFILE\0\1\x09" + b"x" * 1000)],
    "profile of no part": [jpeg_segment(0xE2, b"ICC_PROFILE\0\0\0")],
    "index of an MPO of garbage": [jpeg_segment(0xE2, b"MPF\0garbage")],
    "index of an MPO that is empty": [jpeg_segment(0xE2, b"MPF\0")],
    "index of an MPO beyond": [jpeg_segment(0xE2, b"MPF\0II*\0\xff\xff\xff\x7f")],
    "Photoshop": [jpeg_segment(0xED, b"Photoshop 3.0\x008BIM\x04\x04\xff")],
    "empty segments": [jpeg_segment(marker, b"") for marker in range(0xE1, 0xEE)],
    "a thumbnail": [jpeg_segment(0xE1, b"Exif\0\0" + JPEG)],
    "bytes that fill": [b"\xff" * 9 + jpeg_segment(0xFE, b"x")],
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("data", [JPEG, CMYK], ids=["YCbCr", "CMYK"])
@pytest.mark.parametrize("segments", SEGMENTS.values(), ids=SEGMENTS)
def test_segments_of_a_jpeg_do_not_matter_beside_its_pixels(segments: list[bytes], data: bytes) -> None:
    expected = np.asarray(Image.open(io.BytesIO(data)).convert("L"))
    assert np.array_equal(decode_grey(with_jpeg_segments(data, *segments)), expected)
    assert np.array_equal(decode_grey(with_jpeg_segments(data, *segments) + b"\0more" * 1000), expected)


PLAIN = {kind: image_bytes(PIXELS, kind=kind) for kind in ("PNG", "BMP", "TIFF", "SGI", "PCX", "PPM")}
PLAIN |= {"QOI": image_bytes(PIXELS, kind="QOI", mode="RGB"), "GIF": GIF, "P5": b"P5 24 16 255\n" + PIXELS.tobytes()}


@pytest.mark.parametrize("data", PLAIN.values(), ids=PLAIN)
def test_bytes_behind_the_end_of_an_image_do_not_matter(data: bytes) -> None:
    assert np.array_equal(decode_grey(data + b"more" * 100), PIXELS)


@pytest.mark.parametrize(
    "header",
    [
        b"P5\n# " + b"x" * MIB + b"\n24 16\n255\n",
        b"P5\r\n# \xff\xfe\r\n24 # width\n16\n255\n",
        b"P5\n" + b"#x\n" * 10_000 + b"24\t16 255 ",
    ],
    ids=["long", "not UTF-8", "many"],
)
def test_comments_of_a_pgm_do_not_matter(header: bytes) -> None:
    assert np.array_equal(decode_grey(header + PIXELS.tobytes()), PIXELS)


@pytest.mark.parametrize(
    ("at", "value"),
    [(2, bytes(4)), (6, b"abcd"), (26, bytes(2)), (34, b"\xff" * 4), (38, bytes(8)), (38, b"\xff" * 8), (46, bytes(8))],
    ids=["size", "reserved", "planes", "size of pixels", "no resolution", "resolution", "colours"],
)
def test_fields_of_a_bmp_that_do_not_decide_pixels_do_not_matter(at: int, value: bytes) -> None:
    data = PLAIN["BMP"]
    assert np.array_equal(decode_grey(data[:at] + value + data[at + len(value) :]), PIXELS)
