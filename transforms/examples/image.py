"""Decodes image files to grey or RGB pixels."""

from __future__ import annotations

import functools
import io
import os
import re
import struct
import zlib

import numpy as np
from numpy.typing import NDArray
from PIL import Image, features

from maskmill.transforms.examples import jpeg
from maskmill.transforms.examples.image_format import FORMATS, image_format, other_file
from maskmill.transforms.examples.strip_metadata import several_images, strip_metadata
from maskmill.transforms.rejected import Code, DataError

Pixels = NDArray[np.uint8]

MAX_PIXELS = 100_000_000

# Pillow's names for 16 bits a pixel; only the byte order differs.
_SIXTEEN_BIT_MODES = frozenset({"I;16", "I;16L", "I;16B", "I;16N"})
_MODES = _SIXTEEN_BIT_MODES | {"1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr"}
_GREY_MODES = frozenset({"1", "L", "LA", "La"})
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
# Words of Pillow's errors about files that it knows but does not read.
_UNSUPPORTED = re.compile(
    "unsupported|unknown|not (yet )?supported|not (implemented|installed)|unable to determine", re.I
)


@functools.cache
def _extensions() -> frozenset[str]:
    formats = {*FORMATS, "MPO"}
    return frozenset(name for name, kind in Image.registered_extensions().items() if kind in formats)


def is_image_name(name: str) -> bool:
    """Returns whether a file's name has the extension of a format that can be decoded."""
    return os.path.splitext(name)[1].lower() in _extensions()


def decode_grey(data: bytes, max_pixels: int = MAX_PIXELS) -> Pixels:
    """Decodes an image file to grey; see `decode_planes`.

    Colours are converted as by Pillow's `L` (ITU-R 601-2), as in the original.

    Returns:
        uint8 array [height, width].
    """
    [grey] = decode_planes(data, max_pixels)
    return np.asarray(grey)


def decode_planes(data: bytes, max_pixels: int = MAX_PIXELS, *, rgb: bool = False) -> Pixels:
    """Decodes an image file to grey or to RGB, as Pillow's `L` and `RGB`.

    Of 16 bits a pixel the upper 8 are kept. Transparency is ignored, as by Pillow. EXIF orientation is not applied, as
    in the original; that of a TIFF is, which Pillow applies. Of an MPO, a JPEG followed by others, the first image is
    used. What stands beside the pixels does not matter.

    libjpeg-turbo decodes a JPEG, and each of its warnings is an error: after a flipped bit Pillow would return an image
    that is grey or shifted from there on. The size is checked before any pixel is decoded.

    Args:
        data: content of the file, in one of `FORMATS`.
        max_pixels: an image with more pixels is rejected.
        rgb: whether to decode to RGB.

    Returns:
        uint8 array [planes, height, width] with the plane of grey, or the three of RGB; with one if the file has no
        colours, so that the three are equal.

    Raises:
        DataError: the file is not a complete image that can be decoded.
    """
    if not data:
        raise DataError(Code.IMAGE_EMPTY, "the image file is empty; copy it again from its source")
    kind = image_format(data)
    if kind == "JPEG":
        return _decode_jpeg(data, max_pixels, rgb)
    if kind is None or kind not in known_formats():
        raise other_file(data)
    return _decode_with_pillow(strip_metadata(data, kind), kind, max_pixels, rgb)


def _decode_jpeg(data: bytes, max_pixels: int, rgb: bool) -> Pixels:
    try:
        width, height, colours = jpeg.read_header(data)
        _check_size(width, height, max_pixels)
        return jpeg.decode_rgb(data, colours) if rgb else jpeg.decode(data, colours)[np.newaxis]
    except DataError:
        raise
    except ValueError as error:
        # libjpeg skips what stands beside the pixels, but warns of some of it.
        stripped = strip_metadata(data, "JPEG")
        if stripped != data:
            return _decode_jpeg(stripped, max_pixels, rgb)
        _refuse_other_jpeg(data)
        # If nothing of the image can be shown, Pillow raises first.
        known_formats()
        _decode_with_pillow(data, "JPEG", max_pixels, rgb)
        raise DataError(
            Code.IMAGE_PARTLY_DAMAGED,
            f"the image is not a correct JPEG, although part or all of it can be shown ({error}); copy it again from "
            "its source, or save it again",
        ) from error


def _refuse_other_jpeg(data: bytes) -> None:
    frame = jpeg.find_frame(data)
    if frame is None:
        return
    if frame.bits != 8:
        raise DataError(
            Code.IMAGE_MODE_UNSUPPORTED,
            f"the JPEG has samples of {frame.bits} bits, by its header; convert it to PNG, or to a JPEG of 8 bits",
        )
    if frame.process not in jpeg.USUAL_PROCESSES:
        raise DataError(
            Code.IMAGE_FORMAT_UNSUPPORTED,
            f"the JPEG is lossless, hierarchical or arithmetic-coded (SOF {frame.process:02X}), by its header; convert "
            "it to PNG, or to a usual JPEG",
        )


def _decode_with_pillow(data: bytes, kind: str, max_pixels: int, rgb: bool) -> Pixels:
    image = _open(data, kind)
    _check_size(image.width, image.height, max_pixels)
    if image.mode not in _MODES and not _is_sixteen_bit(image):
        raise DataError(
            Code.IMAGE_MODE_UNSUPPORTED,
            f"the image has pixels of mode {image.mode}, which is not supported; convert it to 8-bit grey or "
            "colour, or to 16-bit grey",
        )
    try:
        return _load_planes(image, rgb)
    except DataError:
        raise
    except _PILLOW_ERRORS as error:
        raise _refusal(kind, error) from error


def _check_size(width: int, height: int, max_pixels: int) -> None:
    if width * height > max_pixels:
        raise DataError(
            Code.IMAGE_TOO_LARGE,
            f"the image has {width} x {height} pixels, more than {max_pixels}; make it smaller, or raise "
            "maskmill.max_image_pixels",
        )


@functools.cache
def known_formats() -> frozenset[str]:
    """Returns those of `FORMATS` that this build of Pillow reads.

    Also lifts Pillow's own limit on pixels, a global variable, which would override a higher one and only warns at
    first. `_check_size` takes its place.
    """
    Image.init()
    Image.MAX_IMAGE_PIXELS = None
    built = {"WEBP": features.check("webp"), "AVIF": features.check("avif"), "JPEG2000": features.check("jpg_2000")}
    return frozenset(kind for kind in FORMATS if built.get(kind, True))


def _open(data: bytes, kind: str) -> Image.Image:
    # `Image.open` would hide why a format's own function refuses the file.
    open_image, _ = Image.OPEN[kind]
    try:
        return open_image(io.BytesIO(data), "")
    except _PILLOW_ERRORS as error:
        raise _refusal(kind, error) from error


def _refusal(kind: str, error: Exception) -> DataError:
    what, unsupported = str(error), _UNSUPPORTED.search(str(error)) is not None
    for one in (error, error.__cause__):
        if isinstance(one, KeyError):  # of a table of what Pillow reads, such as the compressions of TIFF
            what, unsupported = f"unknown: {one}", True
        elif isinstance(one, struct.error | IndexError):
            what = "a part of the header is missing"
    if unsupported:
        return DataError(
            Code.IMAGE_FORMAT_UNSUPPORTED,
            f"the image is in a form of {kind} that is not read ({what}); convert it to PNG or JPEG, or copy it again "
            "if other programs do not show it either",
        )
    return DataError(
        Code.IMAGE_DAMAGED,
        f"the image cannot be decoded ({kind}: {what}); copy it again from its source, or, if other programs show it "
        "whole, convert it to PNG or JPEG",
    )


def _is_sixteen_bit(image: Image.Image) -> bool:
    # Pillow scales PGM of 16 bits to all of them, in a mode that elsewhere has 32.
    return image.mode in _SIXTEEN_BIT_MODES or (image.format == "PPM" and image.mode == "I")


def _load_planes(image: Image.Image, rgb: bool) -> Pixels:
    if image.format != "MPO" and getattr(image, "is_animated", False):
        raise several_images()
    if _is_sixteen_bit(image):
        return (np.asarray(image) >> 8).astype(np.uint8)[np.newaxis]
    if rgb and image.mode not in _GREY_MODES:
        return jpeg.to_planes(np.asarray(image.convert("RGB")))
    return np.asarray(image if image.mode == "L" else image.convert("L"))[np.newaxis]
