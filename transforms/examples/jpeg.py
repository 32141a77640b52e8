"""Decodes JPEGs to grey or to RGB: strictly, and to the values of `PIL.Image.convert`.

Like Pillow, simplejpeg decodes with libjpeg-turbo's defaults: the accurate integer DCT (JDCT_ISLOW), and fancy
upsampling of chroma.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import Image

from maskmill.transforms.rejected import Code, DataError

Pixels = NDArray[np.uint8]

# A decoder works on the whole image once for each scan: a small file of many would take minutes. Progressive JPEGs have
# about 10.
MAX_SCANS = 100

_HUFFMAN_TABLES, _END, _SCAN, _RESTART_INTERVAL = 0xC4, 0xD9, 0xDA, 0xDD
_JFIF, _ADOBE, _COMMENT = 0xE0, 0xEE, 0xFE
# Segments of applications, and comments. The other two decide the colour model.
_BESIDE_PIXELS = frozenset({*range(0xE0, 0xF0), _COMMENT} - {_JFIF, _ADOBE})
# Any number of 0xFF, and a byte that is neither a restart marker nor a 0, which make 0xFF part of a scan.
_MARKER = re.compile(rb"\xff+([^\x00\xd0-\xd7\xff])")
_SEQUENTIAL = frozenset({0xC0, 0xC1})
USUAL_PROCESSES = _SEQUENTIAL | {0xC2}
_FRAMES = frozenset({*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC})  # 0xF7 is JPEG-LS
_MAX_INTERVAL = 65_535
_CMYK = frozenset({"CMYK", "YCCK"})


class Frame(NamedTuple):
    """The frame header of a JPEG.

    Attributes:
        process: second byte of the marker: 0xC0 and 0xC1 are sequential, 0xC2 is progressive.
        bits: of a sample.
        height: in pixels.
        width: in pixels.
        components: the id of each.
        sampling: of each component, (columns, rows) of blocks in a unit.
    """

    process: int
    bits: int
    height: int
    width: int
    components: bytes
    sampling: tuple[tuple[int, int], ...]


class _HuffmanTable(NamedTuple):
    """Numbers of codes of 1 to 16 bits, and their symbols, the shortest code first."""

    counts: bytes
    symbols: bytes


class _Hint:
    """Whether the last JPEG of this process had colours; the next one of a folder mostly is alike.

    Only the time depends on it, never the pixels.
    """

    colours = False

    @classmethod
    def notice(cls, pixels: NDArray[np.uint8]) -> None:
        """Looks at some lines of an image, [height, width, 3 or 4]."""
        some = pixels[::32]
        cls.colours = not np.array_equal(some[:, :, 0], some[:, :, 2])


def find_frame(data: bytes) -> Frame | None:
    """Reads the frame header; None if there is no whole one before the first scan."""
    for marker, body, _ in _segments(data):
        if marker in _FRAMES:
            return _frame(marker, body)
        if marker == _SCAN:
            break
    return None


def _check_scans(data: bytes) -> None:
    """Raises DataError if there are more than `MAX_SCANS`."""
    scans, components = 0, 0
    for marker, body, _ in _segments(data):
        if marker in _SEQUENTIAL and (frame := _frame(marker, body)) is not None:
            components = len(frame.components)
        elif marker == _SCAN:
            if body[:1] == bytes([components]):  # libjpeg stops after a scan of all components
                return
            scans += 1
            if scans > MAX_SCANS:
                raise DataError(
                    Code.IMAGE_FORMAT_UNSUPPORTED,
                    f"the JPEG has more than {MAX_SCANS} scans, and takes very long to decode; save it again",
                )


def _frame(marker: int, body: bytes) -> Frame | None:
    if len(body) < 6 or len(body) != 6 + 3 * body[5]:
        return None
    bits, height, width = struct.unpack(">BHH", body[:5])
    return Frame(marker, bits, height, width, body[6::3], tuple((both >> 4, both & 15) for both in body[7::3]))


def read_header(data: bytes) -> tuple[int, int, str]:
    """Returns width and height, in pixels, and the name of the colour model.

    Raises:
        ValueError: libjpeg cannot read the header, or warns.
    """
    try:
        height, width, colours, _ = simplejpeg.decode_jpeg_header(data)
    except KeyError:
        # Chroma sampled 4:4:1: simplejpeg has no name for it, but decodes it.
        frame = find_frame(data)
        if frame is None:
            raise ValueError("the frame header is damaged") from None
        return frame.width, frame.height, "sampled 4:4:1"
    return width, height, colours


def decode(data: bytes, colours: str) -> Pixels:
    """Decodes a JPEG to grey.

    The grey of a JPEG with colours is that of its RGB (ITU-R 601-2), not its luma: the two differ where RGB is cut off
    at 0 or 255. Without colours they are the same.

    Args:
        data: content of the file.
        colours: of `read_header`.

    Returns:
        uint8 array [height, width].

    Raises:
        ValueError: libjpeg cannot decode the image, or warns.
        DataError: the image has more than `MAX_SCANS` scans.
    """
    grey = _decode_without_colours(data, colours)
    if grey is not None:
        return grey
    if colours in _CMYK:
        return np.asarray(_decode_cmyk(data).convert("L"))
    pixels = simplejpeg.decode_jpeg(data, "RGBX")
    _Hint.notice(pixels)
    return np.asarray(_image_of("RGBX", pixels).convert("L"))


def decode_rgb(data: bytes, colours: str) -> Pixels:
    """Decodes a JPEG to the planes of its RGB; arguments and errors are those of `decode`.

    Returns:
        uint8 array [3, height, width]; [1, height, width] if all three are known to be equal before they are decoded.
    """
    grey = _decode_without_colours(data, colours)
    if grey is not None:
        return grey[np.newaxis]
    if colours in _CMYK:
        return to_planes(np.asarray(_decode_cmyk(data).convert("RGB")))
    pixels = simplejpeg.decode_jpeg(data, "RGB")
    _Hint.notice(pixels)
    return to_planes(pixels)


def to_planes(pixels: NDArray[np.uint8]) -> Pixels:
    """Copies pixels [height, width, 3] to [3, height, width], C order."""
    return np.ascontiguousarray(pixels.transpose(2, 0, 1))


def _decode_without_colours(data: bytes, colours: str) -> Pixels | None:
    """Decodes a JPEG that turns out to have no colours; returns None for others."""
    if colours == "YCbCr" and not _Hint.colours and (neutral := without_colours(data)) is not None:
        try:
            return _decode_luma(neutral)
        except ValueError:
            pass  # it has colours; or it is damaged, and libjpeg warns again
    _check_scans(data)
    return _decode_luma(data) if colours == "Gray" else None


def _decode_luma(data: bytes) -> Pixels:
    pixels: Pixels = simplejpeg.decode_jpeg(data, "GRAY")
    return pixels[:, :, 0]


def _decode_cmyk(data: bytes) -> Image.Image:
    return _image_of("CMYK", 255 - simplejpeg.decode_jpeg(data, "CMYK"))  # stored inverted, as Pillow takes it


def _image_of(mode: str, pixels: NDArray[np.uint8]) -> Image.Image:
    """Makes an image of pixels of 4 bytes, without a copy."""
    height, width, _ = pixels.shape
    return Image.frombuffer(mode, (width, height), pixels, "raw", mode, 0, 1)


def strip_segments(data: bytes) -> bytes:
    """Leaves out what stands beside the pixels: libjpeg warns of a damaged profile, and of another version of JFIF."""
    kept, end = [data[:2]], 2
    for marker, body, at in _segments(data):
        if marker == _SCAN:
            break
        end = at + 4 + len(body)
        if marker == _JFIF and body.startswith(b"JFIF\0"):
            body = b"JFIF\0\1\1" + body[7:]
        if marker not in _BESIDE_PIXELS:
            kept.append(_segment(marker, body))
    return b"".join([*kept, data[end:]])


def without_colours(data: bytes) -> bytes | None:
    """Returns a copy that libjpeg decodes without a warning only if no pixel has a colour.

    If an image in YCbCr has no colours, each coefficient of its chroma is 0: of the Huffman codes of chroma, only that
    of symbol 0 occurs. The copy defines the tables of chroma again, with this code alone, so that libjpeg decodes the
    same luma, or warns of a bad code. It checks every code only if there are restart intervals; the copy gets one that
    is longer than the image.

    Returns:
        the copy; None if the file is not one where this is certain: not sequential, not interleaved, of more than
        65,535 units, or with tables for chroma that luma uses, too, or in which symbol 0 is not the shortest code.
    """
    tables: dict[int, _HuffmanTable] = {}
    frame, restarts = None, False
    for marker, body, at in _segments(data):
        if marker in _SEQUENTIAL:
            frame = _frame(marker, body)
        elif marker == _HUFFMAN_TABLES:
            tables |= _huffman_tables(body)
        elif marker == _RESTART_INTERVAL:
            restarts = body != b"\0\0"
        elif marker == _SCAN:
            if frame is None or _units(frame) > _MAX_INTERVAL:
                return None
            neutral = [_with_zero_alone(number, tables.get(number)) for number in _tables_of_chroma(frame, body)]
            if not neutral or None in neutral:
                return None
            interval = b"" if restarts else _segment(_RESTART_INTERVAL, _MAX_INTERVAL.to_bytes(2, "big"))
            added = _segment(_HUFFMAN_TABLES, b"".join(filter(None, neutral))) + interval
            return b"".join([data[:at], added, memoryview(data)[at:]])
    return None


def _segments(data: bytes) -> Iterator[tuple[int, bytes, int]]:
    """Yields marker, content and offset of each segment, up to the end of the image or the first one that is wrong."""
    at = 2
    while (found := _MARKER.match(data, at)) is not None:
        marker, at = found[1][0], found.start(1) - 1
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == _END or not at + 4 <= end <= len(data):
            return
        yield marker, data[at + 4 : end], at
        behind = _MARKER.search(data, end) if marker == _SCAN else None
        at = end if behind is None else behind.start()


def _segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def _huffman_tables(body: bytes) -> dict[int, _HuffmanTable]:
    """Reads tables by their number: 16 times the class, which is 0 for DC and 1 for AC, and the place of the table."""
    tables = {}
    while len(body) > 17:
        counts = body[1:17]
        end = 17 + sum(counts)
        tables[body[0]] = _HuffmanTable(counts, body[17:end])
        body = body[end:]
    return tables


def _tables_of_chroma(frame: Frame, scan: bytes) -> list[int]:
    """Returns the numbers of the tables that only chroma uses; none unless the scan has three components in order."""
    if len(set(frame.components)) != 3 or len(scan) != 10 or scan[1:6:2] != frame.components:
        return []
    luma, *chroma = ({both >> 4, 16 | both & 15} for both in scan[2:7:2])
    used = set.union(*chroma)
    return [] if used & luma else sorted(used)


def _with_zero_alone(number: int, table: _HuffmanTable | None) -> bytes | None:
    """Writes a table of the code of symbol 0 alone; None unless that is the first of the shortest codes."""
    if table is None or table.symbols[:1] != b"\0":
        return None
    shortest = next(length for length, count in enumerate(table.counts) if count)
    counts = bytes(int(length == shortest) for length in range(16))
    return bytes([number]) + counts + b"\0"


def _units(frame: Frame) -> int:
    """Counts the units of an interleaved scan: as many blocks of each component as it is sampled with."""
    columns = 8 * max((column for column, _ in frame.sampling), default=1)
    rows = 8 * max((row for _, row in frame.sampling), default=1)
    return -(-frame.width // max(columns, 8)) * -(-frame.height // max(rows, 8))
