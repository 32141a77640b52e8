"""Decodes image files to grey pixels."""

from __future__ import annotations

import functools
import io
import os
import struct
import zlib

import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import GifImagePlugin, Image

from maskmill.transforms.rejected import Code, DataError

Pixels = NDArray[np.uint8]

MAX_PIXELS = 100_000_000

_JPEG_START = b"\xff\xd8"
_JPEG_FORMATS = frozenset({"JPEG", "MPO"})
_GIF_STARTS = (b"GIF87a", b"GIF89a")
# Formats that have a signature and give their size before any pixel. Pillow knows more formats, but takes almost any
# file for TGA, and runs another program to draw EPS.
_FORMATS = frozenset({"AVIF", "BMP", "GIF", "JPEG2000", "PCX", "PNG", "PPM", "QOI", "SGI", "TIFF", "WEBP"})
# Pillow's names for 16 bits a pixel; only the byte order differs.
_SIXTEEN_BIT_MODES = frozenset({"I;16", "I;16L", "I;16B", "I;16N"})
_MODES = _SIXTEEN_BIT_MODES | {"1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr"}
# What Pillow raises for damaged files; a fuzz test checks it for every format. Not MemoryError, which says nothing
# about the file.
_PILLOW_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    IndexError,
    RuntimeError,  # of AVIF
    EOFError,
    KeyError,
    OverflowError,
    struct.error,
    zlib.error,
)


@functools.cache
def _extensions() -> frozenset[str]:
    return frozenset(
        name for name, kind in Image.registered_extensions().items() if kind in _FORMATS or kind in _JPEG_FORMATS
    )


def is_image_name(name: str) -> bool:
    """Returns whether a file's name has the extension of a format that can be decoded."""
    return os.path.splitext(name)[1].lower() in _extensions()


def decode_grey(data: bytes, max_pixels: int = MAX_PIXELS) -> Pixels:
    """Decodes an image file to grey.

    The grey of a JPEG is its luma; other colour models are converted by Pillow's `L` (ITU-R 601-2). Of 16 bits a pixel
    the upper 8 are kept. EXIF orientation is not applied, as in the original. Of an MPO, a JPEG followed by others, the
    first image is used.

    libjpeg-turbo decodes a JPEG, and each of its warnings is an error: after a flipped bit Pillow would return an image
    that is grey or shifted from there on. The size is checked before any pixel is decoded.

    Args:
        data: content of the file: a JPEG, or one of `_FORMATS`.
        max_pixels: an image with more pixels is rejected.

    Returns:
        uint8 array [height, width].

    Raises:
        DataError: the file is not a complete image that can be decoded.
    """
    if not data:
        raise DataError(Code.IMAGE_EMPTY, "the image file is empty; copy it again from its source")
    if not data.startswith(_JPEG_START):
        return _decode_with_pillow(data, _FORMATS, max_pixels)
    try:
        return _decode_jpeg(data, max_pixels)
    except DataError:
        raise
    except ValueError as error:
        # If nothing of the image can be shown, Pillow raises first.
        _decode_with_pillow(data, _JPEG_FORMATS, max_pixels)
        raise DataError(
            Code.IMAGE_PARTLY_DAMAGED,
            f"the image is not a correct JPEG, although part or all of it can be shown ({error}); copy it again from "
            "its source, or save it again",
        ) from error


def _decode_jpeg(data: bytes, max_pixels: int) -> Pixels:
    """Decodes a JPEG; raises ValueError for every warning of libjpeg."""
    width, height, colours = _read_jpeg_header(data)
    _check_size(width, height, max_pixels)
    if colours in ("CMYK", "YCCK"):
        simplejpeg.decode_jpeg(data, "CMYK")  # only checks that it is complete; Pillow converts it to grey
        return _decode_with_pillow(data, _JPEG_FORMATS, max_pixels)
    pixels: Pixels = simplejpeg.decode_jpeg(data, "GRAY")
    return pixels[:, :, 0]


def _read_jpeg_header(data: bytes) -> tuple[int, int, str]:
    """Returns width, height, and the name of the colour model."""
    try:
        height, width, colours, _ = simplejpeg.decode_jpeg_header(data)
    except KeyError:
        # Chroma sampled 4:4:1: simplejpeg has no name for it, but decodes it.
        image = _identify(data, _JPEG_FORMATS)
        return image.width, image.height, image.mode
    return width, height, colours


def _decode_with_pillow(data: bytes, formats: frozenset[str], max_pixels: int) -> Pixels:
    image = _identify(data, formats)
    _check_size(image.width, image.height, max_pixels)
    if image.mode not in _MODES:
        raise DataError(
            Code.IMAGE_MODE_UNSUPPORTED,
            f"the image has pixels of mode {image.mode}, which is not supported; convert it to 8-bit grey or "
            "colour, or to 16-bit grey",
        )
    try:
        _check_frames(image)
        if image.format == "PNG":
            # Only `verify` compares the checksums of the pixels; afterwards the image cannot be used.
            Image.open(io.BytesIO(data), formats=["PNG"]).verify()
        return _load_grey(image)
    except DataError:
        raise
    except _PILLOW_ERRORS as error:
        raise DataError(
            Code.IMAGE_DAMAGED, f"the image cannot be decoded ({error}); copy it again from its source"
        ) from error


def _check_size(width: int, height: int, max_pixels: int) -> None:
    if width * height > max_pixels:
        raise DataError(
            Code.IMAGE_TOO_LARGE,
            f"the image has {width} x {height} pixels, more than {max_pixels}; make it smaller, or raise "
            "maskmill.max_image_pixels",
        )


def _check_frames(image: Image.Image) -> None:
    if image.format != "MPO" and getattr(image, "is_animated", False):
        raise DataError(
            Code.IMAGE_SEVERAL_FRAMES, "the file contains several images; save the right one as a file of its own"
        )


class _FirstFrame(GifImagePlugin.GifImageFile):
    """A GIF of which only the first frame is shown. Pillow would allocate the second one when it opens the file."""

    disposal_method = property(lambda self: 0, lambda self, value: None)


@functools.cache
def known_formats() -> tuple[str, ...]:
    """Returns the formats of this build of Pillow.

    Also lifts Pillow's own limit on pixels, a global variable, which would override a higher one and only warns at
    first. `_check_size` takes its place.
    """
    Image.init()
    Image.MAX_IMAGE_PIXELS = None
    return tuple(Image.ID)


def _identify(data: bytes, formats: frozenset[str]) -> Image.Image:
    known = [name for name in known_formats() if name in formats]
    try:
        if data.startswith(_GIF_STARTS):
            return _FirstFrame(io.BytesIO(data))
        return Image.open(io.BytesIO(data), formats=known)
    except _PILLOW_ERRORS as error:
        raise DataError(
            Code.IMAGE_NOT_RECOGNISED,
            "the file is not an image in a format that can be read; replace or remove it",
        ) from error


def _load_grey(image: Image.Image) -> Pixels:
    if image.mode in _SIXTEEN_BIT_MODES:
        return (np.asarray(image) >> 8).astype(np.uint8)
    return np.asarray(image if image.mode == "L" else image.convert("L"))
