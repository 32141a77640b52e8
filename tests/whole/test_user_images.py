"""Images as users bring them: sound pixels are read whatever stands beside them, and a refusal says what is so."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from maskmill import open_dataset
from tests.support.builders import HEADER, HEIGHT, WIDTH, grey_pixels, image_bytes
from tests.support.image_files import (
    directories,
    gif_extension,
    jpeg_segment,
    png_chunk,
    tiff,
    with_gif_blocks,
    with_jpeg_segments,
    with_png_chunk,
)
from tests.support.user_files import UserFiles

PIXELS = grey_pixels(5)
PNG, GIF = (image_bytes(PIXELS, kind=kind, mode="L") for kind in ("PNG", "GIF"))
JPEG, COLOUR = image_bytes(PIXELS), io.BytesIO()
Image.fromarray(np.random.default_rng(0).choice(np.array([0, 255], np.uint8), (HEIGHT, WIDTH, 3))).save(COLOUR, "JPEG")
MEGABYTE = zlib.compress(bytes(1_100_000))
RUNS = [(1, 2), (50, 7)]
TEXT = " ".join(f"{start} {length}" for start, length in RUNS)


def read(data: bytes, pixels: np.ndarray = PIXELS, **changes: Any) -> tuple[UserFiles, np.ndarray]:
    """An image that is read, with its pixels."""
    files = UserFiles(
        csv=f"{HEADER}\nimage.jpg,3,{TEXT}\n", images={"image.jpg": data}, pixels={"image.jpg": RUNS}, **changes
    )
    return files, pixels


def refused(code: str, data: bytes, *words: str, never: tuple[str, ...] = ()) -> tuple[UserFiles, None]:
    """An image that is refused, beside one that is not."""
    files = UserFiles(
        csv=f"{HEADER}\nimage.jpg,3,{TEXT}\ngood.jpg,3,{TEXT}\n",
        images={"image.jpg": data, "good.jpg": JPEG},
        status=3,
        words=("data/train_images/image.jpg: ", f"({code})", *words),
        never=never,
        codes={code: 1},
    )
    return files, None


def grey_of(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert("L"))


def two_images(kind: str) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(PIXELS).save(stream, kind, save_all=True, append_images=[Image.fromarray(255 - PIXELS)])
    return stream.getvalue()


def flipped(data: bytes, mark: bytes, offset: int) -> bytes:
    at = data.index(mark) + offset
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


HUGE_PNG = PNG[:8] + png_chunk(b"IHDR", struct.pack(">IIBBBBB", 2**31 - 1, 9, 8, 0, 0, 0, 0)) + PNG[33:]

CASES = {
    # png_large_metadata
    "PNG with a comment of 1.1 MB": read(with_png_chunk(PNG, png_chunk(b"zTXt", b"Comment\0\0" + MEGABYTE))),
    "PNG with a comment behind its pixels": read(
        with_png_chunk(PNG, png_chunk(b"iTXt", b"Comment\0\1\0\0\0" + MEGABYTE), b"IEND")
    ),
    "PNG with a profile of 1.1 MB": read(with_png_chunk(PNG, png_chunk(b"iCCP", b"ICC\0\0" + MEGABYTE))),
    "PNG with a profile that is none": read(with_png_chunk(PNG, png_chunk(b"iCCP", b"ICC\0\0none"))),
    "PNG with a short pHYs": read(with_png_chunk(PNG, png_chunk(b"pHYs", b"\0\0\x0b"))),
    "PNG with a comment of a wrong checksum": read(
        with_png_chunk(PNG, png_chunk(b"tEXt", b"Comment\0x", wrong_checksum=True))
    ),
    # relatives of it
    "GIF with a loop without its number": read(with_gif_blocks(GIF, gif_extension(0xFF, b"NETSCAPE2.0"))),
    "GIF with a comment of 10 MB": read(with_gif_blocks(GIF, gif_extension(0xFE, *[b"x" * 255] * 40_000))),
    "TIFF with a text beyond its end": read(tiff(PIXELS, (270, 2, 10**6, 8))),
    "TIFF whose next directory is none": read(tiff(PIXELS, next_directory=10**8)),
    "JPEG with broken profile and EXIF": read(
        with_jpeg_segments(JPEG, jpeg_segment(0xE2, b"ICC_PROFILE\0\1\2x"), jpeg_segment(0xE1, b"Exif\0\0II*\0\xff")),
        grey_of(JPEG),
    ),
    "JPEG of another version of JFIF": read(JPEG.replace(b"JFIF\0\1", b"JFIF\0\7"), grey_of(JPEG)),
    "MPO of a broken index": read(with_jpeg_segments(JPEG, jpeg_segment(0xE2, b"MPF\0II*\0")) + JPEG, grey_of(JPEG)),
    "PGM of 16 bits": read(b"P5 %d %d 65535\n" % (WIDTH, HEIGHT) + (PIXELS.astype(">u2") * 257).tobytes()),
    "PNG with more behind its end": read(PNG + b"more"),
    "JPEG with saturated colours": read(COLOUR.getvalue(), grey_of(COLOUR.getvalue())),
    # what damages pixels is told as before
    "PNG of a flipped bit": refused("IMAGE_DAMAGED", flipped(PNG, b"IDAT", 30), "checksum of chunk IDAT"),
    "PNG cut off": refused("IMAGE_DAMAGED", PNG[:-12], "it is cut off, without chunk IEND"),
    "beginning of a JPEG": refused("IMAGE_DAMAGED", JPEG[:20], "copy it again from its source"),
    "TIFF of two pages": refused("IMAGE_SEVERAL_FRAMES", directories(PIXELS), "save the right one"),
    "animated PNG": refused("IMAGE_SEVERAL_FRAMES", two_images("PNG"), "save the right one"),
    "PNG that claims a bomb": refused("IMAGE_TOO_LARGE", HUGE_PNG, "2147483647 x 9 pixels"),
    # no image, and images in formats that are not read
    "web page": refused("IMAGE_NOT_RECOGNISED", b"<!DOCTYPE html><html>404</html>", "a web page: the download failed"),
    "answer of a server": refused("IMAGE_NOT_RECOGNISED", b'{"error": "expired"}', 'text: \'{"error": "expired"}\''),
    "pointer of Git LFS": refused("IMAGE_NOT_RECOGNISED", b"version https://git-lfs.github.com/spec/v1\n", "lfs pull"),
    "zip": refused("IMAGE_NOT_RECOGNISED", b"PK\3\4" + bytes(40), "a zip archive", never=("damaged", "copy it again")),
    "zeros": refused("IMAGE_NOT_RECOGNISED", bytes(4096), "nothing except zeros"),
    "HEIC": refused(
        "IMAGE_FORMAT_UNSUPPORTED",
        b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(90),
        "a HEIC (HEIF) image",
        "convert it to PNG or JPEG",
        never=("not an image", "damaged"),
    ),
    "SVG": refused("IMAGE_FORMAT_UNSUPPORTED", b'<?xml version="1.0"?><svg width="9"/>', "an SVG drawing"),
    "DICOM": refused("IMAGE_FORMAT_UNSUPPORTED", bytes(128) + b"DICM" + bytes(90), "a DICOM image"),
    "lossless JPEG": refused(
        "IMAGE_FORMAT_UNSUPPORTED",
        JPEG.replace(b"\xff\xc0", b"\xff\xc3"),
        "lossless",
        never=("not an image", "damaged"),
    ),
    "JPEG behind the head of a download": refused(
        "IMAGE_DAMAGED", b"HTTP/1.1 200 OK\r\n\r\n" + JPEG, "begins only at byte 19", never=("not an image",)
    ),
}


@pytest.mark.parametrize(("files", "pixels"), CASES.values(), ids=CASES)
def test_images_as_users_bring_them(tmp_path: Path, files: UserFiles, pixels: np.ndarray | None) -> None:
    files.check(tmp_path)
    if pixels is not None:
        [example] = open_dataset(tmp_path / "out", "train_input")
        assert np.array_equal(example.image[0], pixels)
