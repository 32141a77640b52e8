"""Image files to grey pixels."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from tests.builders import grey_pixels, image_bytes
from transforms.image import decode_grey
from transforms.rejected import Code, DataError

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


def test_of_sixteen_bits_the_upper_eight_are_kept() -> None:
    stream = io.BytesIO()
    Image.fromarray(PIXELS.astype(np.uint16) * 256 + 77).save(stream, "PNG")
    assert np.array_equal(decode_grey(stream.getvalue()), PIXELS)


def test_exif_orientation_is_not_applied() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    assert decode_grey(image_bytes(PIXELS, exif=exif)).shape == PIXELS.shape


JPEG = image_bytes(grey_pixels(2, 64, 96), quality=95)
PNG = image_bytes(PIXELS, kind="PNG")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", Code.IMAGE_EMPTY),
        (b"<html>not found</html>", Code.IMAGE_NOT_RECOGNISED),
        (JPEG[:2], Code.IMAGE_NOT_RECOGNISED),
        (JPEG[: len(JPEG) // 10], Code.IMAGE_DAMAGED),
        (JPEG[: len(JPEG) // 2], Code.IMAGE_DAMAGED),
        (JPEG[: len(JPEG) * 99 // 100], Code.IMAGE_DAMAGED),
        (PNG[: len(PNG) // 2], Code.IMAGE_DAMAGED),
    ],
)
def test_what_is_not_a_whole_image_is_refused(data: bytes, code: Code) -> None:
    with pytest.raises(DataError) as caught:
        decode_grey(data)
    assert caught.value.code is code


@pytest.mark.parametrize("mode", ["F", "I"])
def test_pixels_of_32_bits_are_refused(mode: str) -> None:
    with pytest.raises(DataError) as caught:
        decode_grey(image_bytes(PIXELS, mode=mode, kind="TIFF"))
    assert caught.value.code is Code.IMAGE_MODE_UNSUPPORTED


def test_an_image_of_too_many_pixels_is_refused_before_it_is_decoded() -> None:
    header = image_bytes(PIXELS[:1, :1], kind="BMP", mode="L")
    huge = header[:18] + (40_000).to_bytes(4, "little") + (40_000).to_bytes(4, "little") + header[26:]
    with pytest.raises(DataError) as caught:
        decode_grey(huge)
    assert caught.value.code is Code.IMAGE_TOO_LARGE
