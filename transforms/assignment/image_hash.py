"""Hashes ImageIds. What a hash decides depends neither on the order of the rows nor on other images."""

from __future__ import annotations

import hashlib
from typing import NamedTuple

# Of each number of an `ImageHash`.
HASH_BITS = 64


class ImageHash(NamedTuple):
    """Three independent hashes, each below 2^64.

    Attributes:
        split: decides the split.
        place: decides the shard, and the order of examples in it.
        sample: decides whether an image without a defect is in the sample of `negatives`.
    """

    split: int
    place: int
    sample: int


def hash_image(image_id: str, salt: str) -> ImageHash:
    """Returns the first 24 bytes of sha256(salt, a zero byte, ImageId) as three big-endian numbers."""
    digest = hashlib.sha256(f"{salt}\0{image_id}".encode()).digest()
    return ImageHash(*(int.from_bytes(digest[start : start + 8], "big") for start in (0, 8, 16)))


def hash_crop(image_id: str, top: int, left: int, salt: str) -> int:
    """Returns a hash below 2^64 of a crop: the first 8 bytes of sha256(salt, ImageId, top, left), big-endian.

    Zero bytes separate the parts, of which the numbers are written in decimal.
    """
    digest = hashlib.sha256(f"{salt}\0{image_id}\0{top}\0{left}".encode()).digest()
    return int.from_bytes(digest[:8], "big")


def hash_bound(share: float) -> int:
    """Returns the number below which a share, 0 to 1, of all hashes lies."""
    return int(share * 2.0**HASH_BITS)
