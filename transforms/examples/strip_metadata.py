"""Strips image files down to what decides their pixels, so that nothing beside it can be in the way.

Comments, profiles, EXIF and whatever programs add are left out, sound or damaged.
"""

from __future__ import annotations

import dataclasses
import struct
import zlib
from collections.abc import Iterator, Mapping
from typing import Literal

from maskmill.transforms.examples.jpeg import strip_segments
from maskmill.transforms.rejected import Code, DataError

_PNG_CRITICAL = (b"IHDR", b"PLTE", b"IDAT", b"IEND")
_PNG_HEADER_BYTES, _PNG_COLOUR_TYPE, _PNG_WITH_PALETTE = 25, 17, 3
# Tags of TIFF that decide pixels: TIFF 6.0, and its supplements on JPEG, and LERC.
_TIFF_PIXELS = frozenset(
    {*range(254, 260), 262, 266, 273, 274, *range(277, 280), 284, 292, 293, 317, 320, *range(322, 326)}
    | {332, *range(338, 340), 347, *range(512, 522), *range(529, 533), 50674}
)
_TIFF_SUBFILE_TYPE, _TIFF_WIDTH, _TIFF_SUB_IFDS, _TIFF_SHORT = 254, 256, 330, 3


def strip_metadata(data: bytes, kind: str) -> bytes:
    """Returns a file of the same pixels, without what stands beside them.

    Args:
        data: content of the file.
        kind: Pillow's name of its format.

    Returns:
        the file; the same if its format is none of these, or if its structure is damaged, of which its decoder tells.

    Raises:
        DataError: the file contains several images; the structure of a PNG, or a checksum, is wrong.
    """
    strips = {
        "JPEG": strip_segments,
        "PNG": _strip_png,
        "GIF": _strip_gif,
        "WEBP": _strip_webp,
        "TIFF": _strip_tiff,
    }
    return strips[kind](data) if kind in strips else data


def several_images() -> DataError:
    """Returns the error about an animation, or about pages."""
    return DataError(
        Code.IMAGE_SEVERAL_FRAMES, "the file contains several images; save the right one as a file of its own"
    )


def _strip_png(data: bytes) -> bytes:
    """Keeps the critical chunks, and compares their checksums, of which Pillow does not look at those of the pixels."""
    kept: dict[bytes, list[memoryview]] = {name: [] for name in _PNG_CRITICAL}
    for name, chunk in _png_chunks(data):
        if name == b"fdAT":  # of APNG
            raise several_images()
        if name in kept:
            kept[name].append(chunk)
        elif name[:1].isupper():
            raise DataError(
                Code.IMAGE_FORMAT_UNSUPPORTED,
                f"the PNG cannot be shown without its chunk {name.decode()}, which is not of the standard; save it as "
                "a usual PNG",
            )
    header, palette, pixels, end = kept.values()
    if [len(chunk) for chunk in header] != [_PNG_HEADER_BYTES]:
        raise _damaged_png("its header is missing or damaged")
    if not pixels or not end:
        raise _damaged_png(f"it is cut off, without chunk {'IEND' if pixels else 'IDAT'}")
    if header[0][_PNG_COLOUR_TYPE] == _PNG_WITH_PALETTE and not palette:
        raise _damaged_png("chunk PLTE is missing")
    return b"".join([data[:8], *header, *palette, *pixels, *end])


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, memoryview]]:
    """Yields the name of each chunk and all its bytes, up to IEND or to the end of the file."""
    view, at, name = memoryview(data), 8, b""
    while at + 12 <= len(data) and name != b"IEND":
        length, name = struct.unpack_from(">I4s", data, at)
        end = at + 12 + length
        if not name.isalpha():
            raise _damaged_png(f"there is no chunk at byte {at}")
        if end > len(data):
            raise _damaged_png(f"it is cut off in chunk {name.decode()}")
        if name[:1].isupper() and zlib.crc32(view[at + 4 : end - 4]) != int.from_bytes(view[end - 4 : end], "big"):
            raise _damaged_png(f"the checksum of chunk {name.decode()} at byte {at} is wrong")
        yield name, view[at:end]
        at = end


def _damaged_png(what: str) -> DataError:
    return DataError(Code.IMAGE_DAMAGED, f"the PNG is damaged: {what}; copy it again from its source")


def _strip_gif(data: bytes) -> bytes:
    """Keeps the header, the palettes and the image; leaves out extensions."""
    at = 13 + _gif_palette(data, 10)
    kept, images = [data[:at]], 0
    while at < len(data) and data[at : at + 1] != b";":
        start = at
        if data[at : at + 1] == b"!":
            at = _skip_gif_blocks(data, at + 2)
        elif data[at : at + 1] == b"," and at + 10 < len(data):
            at = _skip_gif_blocks(data, at + 11 + _gif_palette(data, at + 9))
            kept.append(data[start:at])
            images += 1
        else:
            at += 1  # as decoders do
    if images > 1:
        raise several_images()
    return b"".join([*kept, b";"])


def _gif_palette(data: bytes, at: int) -> int:
    """Number of bytes of the palette that a byte of flags announces."""
    flags = int.from_bytes(data[at : at + 1], "big")
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _skip_gif_blocks(data: bytes, at: int) -> int:
    """Returns the offset after a sequence of blocks, each with its length before it."""
    while at < len(data) and data[at]:
        at += data[at] + 1
    return min(at + 1, len(data))


def _strip_webp(data: bytes) -> bytes:
    """Keeps the chunk of the image; leaves an animation as it is."""
    at = 12
    while at + 8 <= len(data):
        name, size = struct.unpack_from("<4sI", data, at)
        end = at + 8 + size + size % 2
        if name == b"ANIM":
            return data
        if name in (b"VP8 ", b"VP8L"):
            chunk = data[at:end]
            return b"RIFF" + struct.pack("<I", 4 + len(chunk)) + b"WEBP" + chunk
        at = end
    return data


@dataclasses.dataclass(frozen=True)
class _TiffLayout:
    """How a TIFF or BigTIFF writes numbers.

    Attributes:
        order: of bytes.
        at: where the header has the offset of the first directory.
        count: number of a directory's entries, before them.
        entry: tag, type, count, and the value if it fits, else its offset.
        offset: of the next directory, after the entries.
    """

    order: Literal["little", "big"]
    at: int
    count: struct.Struct
    entry: struct.Struct
    offset: struct.Struct

    @classmethod
    def of(cls, data: bytes) -> _TiffLayout:
        """Tells it by the header."""
        order: Literal["little", "big"] = "little" if data.startswith(b"II") else "big"
        mark = "<" if order == "little" else ">"
        at, *forms = (8, "Q", "HHQ8s", "Q") if 43 in data[2:4] else (4, "H", "HHI4s", "I")
        return cls(order, at, *(struct.Struct(mark + form) for form in forms))

    def directory(self, data: bytes, at: int) -> tuple[dict[int, bytes], int]:
        """Reads the entries of a directory, by tag, and the offset of the next one.

        Raises:
            struct.error: it does not lie within the file.
        """
        if not 0 < at < len(data):
            raise struct.error
        [count] = self.count.unpack_from(data, at)
        begin, size = at + self.count.size, self.entry.size
        end = begin + count * size
        if end > len(data):
            raise struct.error
        entries = [data[place : place + size] for place in range(begin, end, size)]
        return {self.entry.unpack(entry)[0]: entry for entry in entries}, self.offset.unpack_from(data, end)[0]

    def has_image(self, data: bytes, at: int) -> bool:
        """Tells whether there is a directory of an image."""
        try:
            return _TIFF_WIDTH in self.directory(data, at)[0]
        except struct.error:
            return False

    def is_preview(self, entries: Mapping[int, bytes]) -> bool:
        """Tells whether the image of a directory is one of reduced resolution, and others are below it."""
        if _TIFF_SUBFILE_TYPE not in entries or _TIFF_SUB_IFDS not in entries:
            return False
        _, form, _, value = self.entry.unpack(entries[_TIFF_SUBFILE_TYPE])
        return bool(int.from_bytes(value[: 2 if form == _TIFF_SHORT else 4], self.order) & 1)


def _strip_tiff(data: bytes) -> bytes:
    """Adds a directory that has only those tags of the first one that decide pixels, and names it in the header."""
    layout = _TiffLayout.of(data)
    try:
        [first] = layout.offset.unpack_from(data, layout.at)
        entries, following = layout.directory(data, first)
    except struct.error:
        return data
    if following != first and layout.has_image(data, following):
        raise several_images()
    if layout.is_preview(entries):
        raise DataError(
            Code.IMAGE_FORMAT_UNSUPPORTED,
            "the TIFF's first image is only a preview of another, as in raw files of cameras (DNG, NEF, ARW); convert "
            "it to PNG or JPEG",
        )
    kept = [entry for tag, entry in sorted(entries.items()) if tag in _TIFF_PIXELS]
    padding = bytes(len(data) % 2)
    head = data[: layout.at] + layout.offset.pack(len(data) + len(padding))
    rest = memoryview(data)[len(head) :]
    return b"".join([head, rest, padding, layout.count.pack(len(kept)), *kept, layout.offset.pack(0)])
