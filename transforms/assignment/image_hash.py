"""ImageId to hash: what it decides does not depend on the order of the rows, nor on what other images there are."""

from __future__ import annotations

import hashlib
from typing import NamedTuple

# Of each number.
BITS = 64


class ImageHash(NamedTuple):
    """Numbers below 2^64: one for the split, one for the place in it, and one for whether the image is in a sample."""

    split: int
    place: int
    sample: int


def hash_image(image_id: str, salt: str) -> ImageHash:
    """The first 24 bytes of the sha256 of salt, a zero byte and ImageId, as big-endian numbers."""
    digest = hashlib.sha256(f"{salt}\0{image_id}".encode()).digest()
    return ImageHash(*(int.from_bytes(digest[start : start + 8], "big") for start in (0, 8, 16)))


def share_of_hashes(share: float) -> int:
    """The hash below which a share, 0 to 1, of all hashes lies."""
    return int(share * 2.0**BITS)
