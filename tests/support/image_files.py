"""Image files with what stands beside their pixels: chunks of PNG and WebP, segments of JPEG, tags of TIFF …"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence

import numpy as np

# tag, type, count, value or offset
Tag = tuple[int, int, int, int]


def png_chunk(name: bytes, body: bytes = b"", *, wrong_checksum: bool = False) -> bytes:
    """A chunk of a PNG."""
    checksum = zlib.crc32(name + body) ^ wrong_checksum
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", checksum)


def with_png_chunk(data: bytes, chunk: bytes, before: bytes = b"IDAT") -> bytes:
    """A PNG with a chunk more, before the first one of a name."""
    at = data.index(before) - 4
    return data[:at] + chunk + data[at:]


def with_gif_blocks(data: bytes, blocks: bytes, *, behind: bool = False) -> bytes:
    """A GIF with extensions more, before its image or behind it."""
    palette = 3 << (data[10] & 7) + 1 if data[10] & 0x80 else 0
    at = len(data) - 1 if behind else 13 + palette
    return data[:at] + blocks + data[at:]


def gif_extension(label: int, *blocks: bytes) -> bytes:
    """An extension of a GIF."""
    return b"!" + bytes([label]) + b"".join(bytes([len(block)]) + block for block in blocks) + b"\0"


def riff_chunk(name: bytes, body: bytes, size: int | None = None) -> bytes:
    """A chunk of a WebP, which may say a wrong size."""
    return name + struct.pack("<I", len(body) if size is None else size) + body


def webp_of(*chunks: bytes, size: int | None = None) -> bytes:
    """A WebP of chunks, which may say a wrong size."""
    body = b"WEBP" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body) if size is None else size) + body


def jpeg_segment(marker: int, body: bytes) -> bytes:
    """A segment of a JPEG."""
    return b"\xff" + bytes([marker]) + struct.pack(">H", len(body) + 2) + body


def with_jpeg_segments(data: bytes, *segments: bytes) -> bytes:
    """A JPEG with segments more, at its beginning."""
    return data[:2] + b"".join(segments) + data[2:]


def tiff(pixels: np.ndarray, *tags: Tag, next_directory: int = 0, order: str = "<", big: bool = False) -> bytes:
    """A TIFF of grey pixels without compression, with tags more."""
    height, width = pixels.shape
    number, count, offset, head = ("Q", "Q", "Q", 16) if big else ("I", "H", "I", 8)
    required = [(256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1)]
    required += [(273, 4, 1, head), (277, 3, 1, 1), (278, 4, 1, height), (279, 4, 1, pixels.size)]
    entries = [_entry(tag, order, number) for tag in sorted([*required, *tags])]
    directory = struct.pack(order + count, len(entries)) + b"".join(entries)
    directory += struct.pack(order + offset, next_directory)
    mark = (b"II" if order == "<" else b"MM") + struct.pack(order + "H", 43 if big else 42)
    mark += struct.pack(order + "HH", 8, 0) if big else b""
    return mark + struct.pack(order + offset, head + pixels.size) + pixels.tobytes() + directory


def _entry(tag: Tag, order: str, number: str) -> bytes:
    name, form, count, value = tag
    width = struct.calcsize(order + number)
    packed = struct.pack(order + ("H" if form == 3 else number if form != 4 else "I"), value)[:width].ljust(
        width, b"\0"
    )
    return struct.pack(order + "HH" + number, name, form, count) + packed


def directories(pixels: np.ndarray, tags: Sequence[Tag] = ()) -> bytes:
    """A TIFF whose first directory is followed by a second, which is the same."""
    plain = tiff(pixels, *tags)
    data = tiff(pixels, *tags, next_directory=len(plain))
    return data + plain[8 + pixels.size :]
