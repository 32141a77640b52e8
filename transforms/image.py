"""Image files to grey pixels."""

from __future__ import annotations

import io
import warnings

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from transforms.rejected import Code, DataError

Pixels = NDArray[np.uint8]

MAX_PIXELS = 2**28
# 16 bits a pixel, in the spellings of Pillow: only the byte order differs.
_SIXTEEN_BIT_MODES = frozenset({"I;16", "I;16L", "I;16B", "I;16N"})
_UNSUPPORTED_MODES = frozenset({"I", "F"})


def decode_grey(data: bytes) -> Pixels:
    """Decodes an image file to grey.

    A JPEG is decoded to its luma; what has another colour model is converted by Pillow's `L` (ITU-R 601-2). Of 16 bits
    a pixel the upper 8 are kept. Of several frames the first counts. Pixels are taken as stored: EXIF orientation is
    not applied, as in the original.

    Args:
        data: the bytes of a JPEG, PNG, or of any other format that Pillow identifies.

    Returns:
        uint8 array [height, width].

    Raises:
        DataError: the bytes are not a whole image that can be read.
    """
    if not data:
        raise DataError(Code.IMAGE_EMPTY, "the image file is empty; copy it again from its source")
    image = _identify(data)
    if image.width * image.height > MAX_PIXELS:
        raise DataError(
            Code.IMAGE_TOO_LARGE,
            f"the image has {image.width} x {image.height} pixels; at most {MAX_PIXELS} are read",
        )
    if image.mode in _UNSUPPORTED_MODES:
        raise DataError(
            Code.IMAGE_MODE_UNSUPPORTED,
            f"the image has pixels of mode {image.mode} (32 bits); convert it to 8 or 16 bits",
        )
    try:
        return _load_grey(image)
    except (OSError, SyntaxError, ValueError, EOFError, IndexError) as error:
        raise DataError(
            Code.IMAGE_DAMAGED, f"the image cannot be decoded ({error}); copy it again from its source"
        ) from error


def _identify(data: bytes) -> Image.Image:
    try:
        with warnings.catch_warnings():
            # Pillow's own bound on pixels is a warning first; ours is checked by the caller.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            return Image.open(io.BytesIO(data))
    except Image.DecompressionBombError as error:
        raise DataError(Code.IMAGE_TOO_LARGE, f"the image is too large to be read: {error}") from error
    except (OSError, SyntaxError, ValueError) as error:
        raise DataError(
            Code.IMAGE_NOT_RECOGNISED,
            "the file is not an image in a format that Pillow knows; replace or remove it",
        ) from error


def _load_grey(image: Image.Image) -> Pixels:
    # Without chroma a third of the decoding time is saved; other formats ignore the wish.
    image.draft("L", None)
    if image.mode in _SIXTEEN_BIT_MODES:
        return (np.asarray(image) >> 8).astype(np.uint8)
    return np.asarray(image if image.mode == "L" else image.convert("L"))
