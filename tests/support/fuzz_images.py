"""Decodes damaged image files, each of which has to give pixels or a `DataError`, in bounded time and memory.

    python -m tests.support.fuzz_images [--seconds N] [--seed S] [--folder DIR]

Files of every format are damaged in ways that do happen, and in ways that are meant. Another process decodes them: one
that raises anything else, dies, takes too long or too much memory is a fault, whose file is left in the folder.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import itertools
import multiprocessing
import os
import random
import resource
import struct
import sys
import time
import traceback
import warnings
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, features

from maskmill.transforms.examples.image import decode_grey
from maskmill.transforms.rejected import DataError

MAX_PIXELS = 10**6
SECONDS_ALLOWED = 10.0
MIB_ALLOWED = 200
# What a process may reserve, most of which it never touches.
_ADDRESS_SPACE = 6 * 2**30
_EXTREMES = [0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF]
_GOLDEN = Path(__file__).parents[1] / "golden" / "data" / "train_images"


class FuzzError(AssertionError):
    """A file gave something else than pixels or a `DataError`."""


def sound_files() -> list[bytes]:
    """Files of every format, in many of its forms."""
    noise = np.random.default_rng(0)
    plain = Image.fromarray(noise.integers(0, 256, (40, 56, 3), np.uint8))
    smooth = Image.fromarray(np.tile(np.arange(56, dtype=np.uint8) * 4, (40, 1)))
    exif = Image.Exif()
    exif[0x010E], exif[0x0112] = "a comment", 6
    forms: list[tuple[str, str, dict[str, Any]]] = [
        *[("JPEG", mode, {"comment": b"c" * 40, "exif": exif}) for mode in ("L", "RGB", "CMYK")],
        *[("JPEG", "RGB", {"subsampling": sampling, "optimize": True}) for sampling in (0, 1)],
        *[("JPEG", mode, {"progressive": True, "icc_profile": b"p" * 300}) for mode in ("L", "RGB")],
        ("JPEG", "RGB", {"restart_marker_blocks": 2}),
        ("MPO", "RGB", {"save_all": True, "append_images": [plain]}),
        *[("PNG", mode, {"exif": exif, "icc_profile": b"p" * 300}) for mode in ("1", "L", "LA", "P", "RGB", "RGBA")],
        *[("PNG", "P", {"bits": 2}), ("PNG", "I;16", {}), ("PNG", "L", {"save_all": True, "append_images": [smooth]})],
        *[("GIF", "P", {"comment": b"c" * 400}), ("GIF", "L", {"save_all": True, "append_images": [plain]})],
        *[("BMP", mode, {}) for mode in ("1", "L", "P", "RGB", "RGBA")],
        *[("PPM", mode, {}) for mode in ("1", "L", "RGB")],
        *[("PCX", mode, {}) for mode in ("1", "L", "P", "RGB")],
        *[("SGI", mode, {}) for mode in ("L", "RGB", "RGBA")],
        *[("QOI", mode, {}) for mode in ("RGB", "RGBA")],
        *[("TIFF", mode, {"exif": exif}) for mode in ("1", "L", "P", "RGB", "I;16", "CMYK", "F")],
        *[("TIFF", "RGB", {"compression": f"tiff_{name}"}) for name in ("lzw", "adobe_deflate")],
        *[("TIFF", "RGB", {"compression": name}) for name in ("jpeg", "packbits", "zstd", "lzma")],
        *[("TIFF", "1", {"compression": name}) for name in ("group3", "group4")],
        *[("TIFF", "L", {"big_tiff": True, "tile": (16, 16), "compression": "tiff_lzw"})],
        *[("TIFF", "L", {"save_all": True, "append_images": [smooth]})],
        *[("JPEG2000", mode, {"irreversible": mode == "RGB"}) for mode in ("L", "RGB", "RGBA")],
        ("JPEG2000", "RGB", {"no_jp2": True, "tile_size": (32, 32)}),
    ]
    if features.check("webp"):
        more: dict[str, Any] = {"exif": b"Exif\0\0" + bytes(50), "xmp": b"x" * 99}
        forms += [("WEBP", mode, {"lossless": lossless, **more}) for mode in ("RGB", "RGBA") for lossless in (0, 1)]
        forms += [("WEBP", "RGB", {}), ("WEBP", "RGB", {"save_all": True, "append_images": [plain]})]
    if features.check("avif"):
        forms += [("AVIF", mode, {"quality": 60, "exif": exif.tobytes()}) for mode in ("RGB", "RGBA")]
    files = [_file(image, *form) for form in forms for image in (plain, smooth)]
    return [*files, b"P2 3 2 255\n1 2 3 # c\n4 5 6\n", *(path.read_bytes() for path in sorted(_GOLDEN.iterdir())[:2])]


def _file(image: Image.Image, kind: str, mode: str, options: dict[str, Any]) -> bytes:
    stream = io.BytesIO()
    if mode == "I;16":
        image = Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257)
    else:
        image = image.convert(mode)
    image.save(stream, kind, **options)
    return stream.getvalue()


class Mutations:
    """Damages files.

    Args:
        files: sound ones.
        seed: of the damage.
    """

    def __init__(self, files: list[bytes], seed: int) -> None:
        self.files = files
        self.random = random.Random(seed)
        self.ways: list[Callable[[bytearray], None]] = [
            self._flip_bits,
            self._flip_bits,
            self._replace_bytes,
            self._replace_number,
            self._replace_number,
            self._cut_off,
            self._remove,
            self._repeat,
            self._insert,
            self._insert_chunk,
            self._splice,
        ]

    def __iter__(self) -> Iterator[bytes]:
        while True:
            data = bytearray(self.random.choice(self.files))
            for _ in range(self.random.choice([1, 1, 1, 2, 3, 6])):
                if data:
                    self.random.choice(self.ways)(data)
            if data.startswith(b"\x89PNG") and self.random.random() < 0.7:
                _mend_checksums(data)
            yield bytes(data)

    def _place(self, data: bytearray) -> int:
        """A place in the file, more often one of its header."""
        return self.random.randrange(min(len(data), self.random.choice([64, 512, len(data)])))

    def _flip_bits(self, data: bytearray) -> None:
        for _ in range(self.random.choice([1, 1, 2, 8])):
            data[self._place(data)] ^= 1 << self.random.randrange(8)

    def _replace_bytes(self, data: bytearray) -> None:
        for _ in range(self.random.choice([1, 4, 16])):
            data[self._place(data)] = self.random.choice([0, 255, 127, 128, self.random.randrange(256)])

    def _replace_number(self, data: bytearray) -> None:
        """Such as a size, a length, or an offset."""
        at, form = self._place(data), self.random.choice(["<H", ">H", "<I", ">I"])
        size = struct.calcsize(form)
        number = self.random.choice([*_EXTREMES, self.random.randrange(2**32), len(data)])
        data[at : at + size] = struct.pack(form, number % 256**size)

    def _cut_off(self, data: bytearray) -> None:
        del data[self._place(data) :]

    def _remove(self, data: bytearray) -> None:
        at = self._place(data)
        del data[at : at + self.random.choice([1, 2, 13, 100])]

    def _repeat(self, data: bytearray) -> None:
        at, size = self._place(data), self.random.choice([1, 12, 64, 600])
        data[at:at] = data[at : at + size] * self.random.choice([1, 2, 50])

    def _insert(self, data: bytearray) -> None:
        at = self._place(data)
        data[at:at] = self.random.randbytes(self.random.choice([1, 3, 64, 5000]))

    def _insert_chunk(self, data: bytearray) -> None:
        """What stands beside pixels in PNG, JPEG, RIFF and GIF, at a place where it may be read."""
        body = self.random.randbytes(self.random.choice([0, 1, 7, 40, 3000]))
        if self.random.random() < 0.3:
            body = zlib.compress(bytes(10**6))
        name = self.random.choice([b"tEXt", b"zTXt", b"iCCP", b"acTL", b"fcTL", b"fdAT", b"tRNS", b"pHYs", b"eXIf"])
        chunk, mark = self.random.choice(
            [
                (struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)), b"IDAT"),
                (
                    b"\xff" + bytes([self.random.randrange(0xC0, 0xFF)]) + struct.pack(">H", len(body) + 2) + body,
                    b"\xff",
                ),
                (self.random.choice([b"EXIF", b"ICCP", b"ALPH"]) + struct.pack("<I", len(body)) + body, b"VP8"),
                (
                    b"!" + bytes([self.random.choice([0xF9, 0xFE, 0xFF, 1])]) + bytes([len(body[:255])]) + body[:255],
                    b"!",
                ),
            ]
        )
        at = data.find(mark, self._place(data))
        at = max(0, at - 4 if mark == b"IDAT" else at)
        data[at:at] = chunk

    def _splice(self, data: bytearray) -> None:
        other = self.random.choice(self.files)
        at = self._place(data)
        data[at:] = other[self._place(bytearray(other)) :]


def _mend_checksums(data: bytearray) -> None:
    """Makes the checksums of a PNG right, so that more than they are reached."""
    at = 8
    while at + 12 <= len(data):
        end = at + 12 + int.from_bytes(data[at : at + 4], "big")
        if end > len(data):
            return
        data[end - 4 : end] = struct.pack(">I", zlib.crc32(data[at + 4 : end - 4]))
        at = end


def _peak_mib() -> int:
    """Most memory of this process so far."""
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM:")) // 1024


def _decode_all(files: Connection, decode: Callable[[bytes, int], object]) -> None:
    """The work of the other process: says what comes of each file that arrives, and how its memory has grown."""
    warnings.simplefilter("ignore")
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())  # libtiff writes there
    resource.setrlimit(resource.RLIMIT_AS, (_ADDRESS_SPACE, _ADDRESS_SPACE))
    peak = _peak_mib()
    files.send("ready")
    while True:
        data = files.recv_bytes()
        try:
            decode(data, MAX_PIXELS)
            outcome = "pixels"
        except DataError as error:
            outcome = error.code.value
        except BaseException:  # noqa: BLE001 - whatever it is, it is the fault that is looked for
            outcome = traceback.format_exc()
        files.send((outcome, _peak_mib() - peak))


class Decoder:
    """Decodes files in another process, which is started anew after it failed."""

    def __init__(self, decode: Callable[[bytes, int], object] = decode_grey, seconds: float = SECONDS_ALLOWED) -> None:
        self.decode = decode
        self.seconds = seconds
        self._start()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.files, theirs = context.Pipe()
        self.process = context.Process(target=_decode_all, args=(theirs, self.decode), daemon=True)
        self.process.start()
        theirs.close()
        self.files.recv()

    def stop(self) -> None:
        """Ends the other process."""
        self.process.kill()
        self.process.join()
        self.files.close()

    def outcome(self, data: bytes) -> str:
        """Decodes a file.

        Returns:
            "pixels", or the code of the `DataError`.

        Raises:
            FuzzError: anything else came of it.
        """
        outcome, fault = self._ask(data)
        if fault:
            self.stop()
            self._start()
            raise FuzzError(fault)
        return outcome

    def _ask(self, data: bytes) -> tuple[str, str]:
        """What came of a file, and what is wrong with that."""
        try:
            self.files.send_bytes(data)
            if not self.files.poll(self.seconds):
                return "", f"not decoded after {self.seconds} s"
            outcome, mib = self.files.recv()
        except (EOFError, OSError):
            self.process.join()
            return "", f"the process died with exit status {self.process.exitcode}"
        if "Traceback" in outcome:
            return "", outcome
        return outcome, f"{mib} MiB of memory" if mib > MIB_ALLOWED else ""


def fuzz(files: Iterable[bytes], decoder: Decoder, folder: Path) -> Counter[str]:
    """Decodes damaged files.

    Args:
        files: the files.
        decoder: of them.
        folder: where those are left that show a fault.

    Returns:
        how often each thing came of a file.

    Raises:
        FuzzError: some files have faults; the message names them all.
    """
    found: Counter[str] = Counter()
    faults = []
    for data in files:
        try:
            found[decoder.outcome(data)] += 1
        except FuzzError as fault:
            path = folder / f"fault-{hashlib.sha256(data).hexdigest()[:12]}"
            folder.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            faults.append(f"{path}: {fault}")
            print(faults[-1], flush=True)
    if faults:
        raise FuzzError("\n".join(faults))
    return found


def main() -> None:
    """The part of `make torture` about images."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--folder", type=Path, default=Path("fuzzed_images"), help="for files that show a fault")
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}", flush=True)
    end = time.monotonic() + arguments.seconds
    files = itertools.takewhile(lambda _: time.monotonic() < end, Mutations(sound_files(), arguments.seed))
    decoder = Decoder()
    found = fuzz(files, decoder, arguments.folder)
    decoder.stop()
    print(f"{found.total()} files, no fault: " + ", ".join(f"{count} {what}" for what, count in found.most_common()))


if __name__ == "__main__":
    main()
