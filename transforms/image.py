"""Images: bytes to grey pixels, resized as the original resizes, and tiled."""

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


def resize_bicubic(pixels: Pixels, height: int, width: int) -> Pixels:
    """Resizes as the original does: bicubic (a = -0.5) with antialiasing in float32, clamped, rounded half to even.

    Pillow's resize on mode `F` has these weights and is the same on every CPU; on mode `L` it is not near enough.

    Args:
        pixels: uint8 array [any, any].
        height: of the result, in pixels.
        width: of the result, in pixels.

    Returns:
        uint8 array [height, width].
    """
    if pixels.shape == (height, width):
        return pixels
    grey = Image.fromarray(pixels.astype(np.float32))
    resized = np.asarray(grey.resize((width, height), Image.Resampling.BICUBIC))
    return np.asarray(np.rint(resized).clip(0, 255), np.uint8)


def nearest_index(size_in: int, size_out: int) -> NDArray[np.int64]:
    """Source index of each target index in a nearest-neighbour resize, as torch computes it, in float32.

    Args:
        size_in: of the source, in pixels.
        size_out: of the target, in pixels.

    Returns:
        int64 array [size_out], each in 0 … size_in - 1.
    """
    scale = np.float32(size_in) / np.float32(size_out)
    index = np.floor(np.arange(size_out, dtype=np.float32) * scale).astype(np.int64)
    return np.asarray(np.minimum(index, size_in - 1))


def tile(pixels: Pixels, height: int, width: int) -> Pixels:
    """Repeats an image to a larger size: out[y, x] = pixels[y % h, x % w], uint8 [height, width]."""
    if pixels.shape == (height, width):
        return pixels
    rows, columns = pixels.shape
    repeats = (-(-height // rows), -(-width // columns))
    return np.tile(pixels, repeats)[:height, :width]


def resize_mask(mask: Pixels, size: tuple[int, int], tiled: tuple[int, int]) -> Pixels:
    """Resizes a mask by nearest neighbour, then tiles it, in one step.

    Args:
        mask: uint8 array [any, any].
        size: (height, width) after the resize, in pixels.
        tiled: (height, width) after the tiling, in pixels.

    Returns:
        uint8 array of the shape `tiled`, C order.
    """
    rows, columns = (
        nearest_index(mask.shape[axis], size[axis])[np.arange(tiled[axis]) % size[axis]] for axis in (0, 1)
    )
    # Columns first: a mask drawn from runs lies column by column in memory.
    return np.ascontiguousarray(mask.T[columns][:, rows].T)
