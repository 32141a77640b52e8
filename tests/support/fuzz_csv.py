"""Reads damaged and odd CSV files, made of real ones at random: they give rows or a clear word, and nothing else.

    python -m tests.support.fuzz_csv [--seconds N] [--seed S] [--input N]

Each input is made by its seed and number alone, and read by the functions of a run: header, blocks, rows. Whatever the
size of the blocks, and compressed or not, the rows have to be the same. Now and then `create` runs on the input. Fails
on any error that is none of the reader's own, on an input that takes too long, and on too much memory; the input is
kept in a file then, and its number is printed.
"""

from __future__ import annotations

import argparse
import bz2
import contextlib
import gzip
import io
import json
import lzma
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from maskmill.pipeline.cli import main as maskmill
from maskmill.pipeline.errors import UsageError
from maskmill.pipeline.job.find_inputs import row_format
from maskmill.pipeline.job.params_file import parse_params
from maskmill.transforms.annotations.columns import SEPARATORS
from maskmill.transforms.annotations.compression import CsvFileError
from maskmill.transforms.annotations.csv_blocks import CsvFile, read_block, split_into_blocks
from maskmill.transforms.annotations.inspect_csv import has_rows, inspect_csv
from maskmill.transforms.annotations.read_annotations import BLOCK_BYTES, parse_block
from maskmill.transforms.rejected import DataError
from tests.support.builders import params_of, write_images, write_params, zip_bytes

SECONDS_FOR_ONE = 120
# Above what the process takes before the first input. A line of 16 MiB is held several times.
MEMORY_BYTES = 600 * 2**20
# Of the address space, so that an input that wants all memory does not get it.
ADDRESS_BYTES = 8 * 2**30
CREATE_EVERY = 100
IMAGES = ("0002cc93b.jpg", "0007a71bf.jpg", "000a4bcdd.jpg", "img_7.png")

SEVERSTAL = """ImageId,ClassId,EncodedPixels
0002cc93b.jpg,1,29102 12 29346 24 29602 24 29858 24 30114 24 30370 24 30626 24 30882 24 31139 23 31395 23 31651 23
0007a71bf.jpg,3,18661 28 18863 82 19091 110 19347 110 19603 110 19859 110 20115 110 20371 110 20627 110 20883 110
000a4bcdd.jpg,1,37607 3 37858 8 38108 14 38359 20 38610 25 38863 28 39119 28 39375 29 39631 29 39887 29 40143 29
000f6bf48.jpg,4,131973 1 132228 4 132483 6 132738 8 132993 11 133248 13 133503 15 133757 18 134012 20 134267 22
0014fce06.jpg,3,229501 11 229741 33 229981 55 230221 77 230468 86 230724 86 230980 85 231236 85 231492 85 231748 84
"""
JOINED = """ImageId_ClassId,EncodedPixels
0002cc93b.jpg_1,29102 12 29346 24 29602 24
0002cc93b.jpg_2,
0007a71bf.jpg_3,18661 28 18863 82
img_7.png_hex_nut,1 2
000a4bcdd.jpg_,
"""
WITHOUT_CLASS = """ImageId,ClassId,EncodedPixels
0002cc93b.jpg,3.0,1 2
0007a71bf.jpg,,
000a4bcdd.jpg,0,-1
img_7.png,3,5 2 9 1
0002cc93b.jpg,NaN,NaN
"""
SALT = 'id,rle_mask\n0002cc93b,1 2\n0007a71bf,\n"000a4bcdd","5 2 9 1"\n'
NUTS = ["1", "2", "3", "4", "hex_nut", "nut", "_x"]
# Texts with keys that fit.
FITTING: tuple[tuple[str, dict[str, Any]], ...] = (
    (SEVERSTAL, {}),
    (SEVERSTAL, {"group_column": "ClassId", "assignment": "hash"}),
    (SEVERSTAL.replace(",", ";"), {"separator": "semicolon"}),
    (SEVERSTAL.replace(",", "\t"), {"separator": "tab", "negatives": "all"}),
    (JOINED, {"classes": NUTS, "negatives": 0.5}),
    (JOINED.replace(",", "|"), {"separator": "|", "classes": NUTS}),
    (SEVERSTAL, {"runs": {"encoding": "relative", "first": 0, "order": "rows"}}),
    (SEVERSTAL, {"runs": {"encoding": "counts"}}),
    (SEVERSTAL, {"runs": {"unsorted": "accept"}}),
    (
        SALT.replace("5 2 9 1", "[5, 2, 9, 1]"),
        {
            "class_column": None,
            "image_column": "id",
            "mask_column": "rle_mask",
            "image_suffix": ".jpg",
            "runs": {"separator": "comma"},
        },
    ),
    (WITHOUT_CLASS, {"negatives": "all"}),
    (WITHOUT_CLASS, {}),
    (SALT, {"class_column": None, "image_column": "id", "mask_column": "rle_mask", "image_suffix": ".jpg"}),
)

# What is likely to lead a reader astray.
TOKENS = [
    *(b'"', b'""', b"'", b"\r", b"\n", b"\r\n", b"\0", b"\x1a", b"\x7f", b"\x80", b"\xff", b"\xc3", b"\xed\xa0\x80"),
    *(b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\xff\xfe\0\0", "\u2028\u0085\u202e\u00e9\u0661".encode()),
    *(b",", b";", b"\t", b"|", b"_", b" ", b"-1", b"-", b"nan", b"NaN", b"0", b"00", b"9" * 40, b"1 2", b"1.0"),
    *(b"1.00E+05", b"1,234", b"2001-02-03", b"####", b"../", b"/", b"\\", b"..", b".", b"sep=;\n", b"# ", b"\n\n"),
    *(b"ImageId,ClassId,EncodedPixels\n", b"ImageId_ClassId", b"ImageId", b"hex_nut", b"background", b"<html>", b"{"),
    *(b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06", b"\x1f\x8b\x08", b"BZh9", b"\xfd7zXZ\0", b"PAR1"),
]
# Lengths at which something is cut off.
LENGTHS = (100, 1024, 32_767, 65_535, 2**16, 2**19)
LONG_LENGTHS = (2**24, 2**24 + 1, 3 * 2**23)


class FuzzInput(NamedTuple):
    """A CSV file and the section `maskmill` of its parameter file."""

    csv: bytes
    keys: dict[str, Any]


def make_input(seed: int, number: int) -> FuzzInput:
    """Makes an input."""
    chance = random.Random(f"{seed} {number}")
    text, keys = chance.choice(FITTING)
    if chance.random() < 0.05:
        _, keys = chance.choice(FITTING)
    header, end, rows = text.encode().partition(b"\n")
    if chance.random() < 0.1:
        rows *= chance.choice((2, 50, 3000))
    kept, content = (header + end, rows) if chance.random() < 0.7 else (b"", header + end + rows)
    for change in chance.choices(_CHANGES_OF_TEXT, k=chance.choice((0, 1, 1, 2, 3, 8))):
        content = change(chance, content)
    content = kept + content
    if chance.random() < 0.3:
        content = chance.choice(_CHANGES_OF_FORM)(chance, content)
        for change in chance.choices(_CHANGES_OF_BYTES, k=chance.choice((0, 0, 1, 2, 5))):
            content = change(chance, content)
    return FuzzInput(content, keys)


def _slice(chance: random.Random, content: bytes) -> tuple[int, int]:
    start = chance.randrange(len(content) + 1)
    return start, min(len(content), start + chance.choice((1, 1, 2, 5, 30, 200)))


def _flip(chance: random.Random, content: bytes) -> bytes:
    changed = bytearray(content)
    for _ in range(chance.choice((1, 1, 2, 10))):
        if changed:
            changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def _insert(chance: random.Random, content: bytes) -> bytes:
    start, _ = _slice(chance, content)
    added = chance.choice(TOKENS) if chance.random() < 0.8 else chance.randbytes(chance.randrange(1, 20))
    return content[:start] + added + content[start:]


def _replace(chance: random.Random, content: bytes) -> bytes:
    start, stop = _slice(chance, content)
    return content[:start] + chance.choice(TOKENS) + content[stop:]


def _remove(chance: random.Random, content: bytes) -> bytes:
    start, stop = _slice(chance, content)
    return content[:start] + content[stop:]


def _double(chance: random.Random, content: bytes) -> bytes:
    start, stop = _slice(chance, content)
    return content[:stop] + content[start:]


def _cut(chance: random.Random, content: bytes) -> bytes:
    return content[: _slice(chance, content)[0]]


def _lengthen(chance: random.Random, content: bytes) -> bytes:
    """Repeats a part of a line up to a length at which something is cut off."""
    length = chance.choice(LONG_LENGTHS if chance.random() < 0.02 else LENGTHS) + chance.choice((-1, 0, 0, 1, 7))
    start, stop = _slice(chance, content)
    part = content[start:stop].replace(b"\n", b"") or b"1 2 "
    return content[:stop] + (part * (length // len(part) + 1))[:length] + content[stop:]


def _separate(chance: random.Random, content: bytes) -> bytes:
    return content.replace(b",", chance.choice(list(SEPARATORS.values())).encode())


def _end_lines(chance: random.Random, content: bytes) -> bytes:
    return content.replace(b"\n", chance.choice((b"\r", b"\r\n", b"\n\n", b"\n\r", b"\0\n", b"\x0b", b"")))


def _quote(chance: random.Random, content: bytes) -> bytes:
    between = chance.choice((b'","', b'", "', b'"",""', b","))
    return b"\n".join(b'"%s"' % line.replace(b",", between) for line in content.split(b"\n"))


def _shuffle_lines(chance: random.Random, content: bytes) -> bytes:
    lines = content.split(b"\n")
    chance.shuffle(lines)
    return b"\n".join(lines)


def _encode(chance: random.Random, content: bytes) -> bytes:
    names = ("utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be", "latin-1", "cp1252")
    return content.decode("utf-8", "replace").encode(chance.choice(names), "replace")


_OTHER_MEMBERS: tuple[dict[str, bytes], ...] = (
    *({}, {}, {"__MACOSX/._a.csv": b"\0"}, {"b.csv": b""}),
    {"[Content_Types].xml": b"", "xl/": b""},
)


def _zip(chance: random.Random, content: bytes) -> bytes:
    method = chance.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA))
    more = chance.choice(
        ({}, {}, {"__MACOSX/._a.csv": b"\0"}, {"b.csv": content}, {"xl/": b"", "[Content_Types].xml": b""})
    )
    return zip_bytes({"a.csv": content, **more}, method)


def _gzip(content: bytes) -> bytes:
    return gzip.compress(content, 1, mtime=0)


def _noise(chance: random.Random, content: bytes) -> bytes:
    return chance.randbytes(min(len(content), 3000))


Change = Callable[[random.Random, bytes], bytes]
_CHANGES_OF_BYTES: tuple[Change, ...] = (_flip, _insert, _replace, _remove, _double, _cut)
_CHANGES_OF_TEXT: tuple[Change, ...] = (
    *_CHANGES_OF_BYTES,
    *(_insert, _replace, _lengthen, _separate, _end_lines, _quote, _shuffle_lines),
)
_CHANGES_OF_FORM: tuple[Change, ...] = (
    _encode,
    _zip,
    _zip,
    lambda _, content: _gzip(content),
    lambda _, content: _gzip(content[:99]) + _gzip(content[99:]),
    lambda _, content: _gzip(_gzip(content)),
    lambda chance, content: _gzip(_encode(chance, content)),
    lambda _, content: bz2.compress(content, 1),
    lambda _, content: lzma.compress(content, preset=0),
    _noise,
)


# Of a row: number of its line, and what came of it.
Outcome = tuple[int, str, int | None, str]


def rows_of(file: CsvFile, block_bytes: int) -> list[Outcome]:
    """All rows of a file, good or bad."""
    found: list[Outcome] = []
    first = 1
    for block in split_into_blocks(file, block_bytes):
        text = read_block(block)
        for line, row in parse_block(block, text):
            code = row.code.value if isinstance(row, DataError) else ""
            found.append((first + line.line, row.image_id, row.class_id, code))
        first += text.count(b"\n")
    return found


def read_input(one: FuzzInput, path: Path) -> Counter[str]:
    """Reads an input as a run does; counts what came of it.

    Raises:
        AssertionError: the same rows are not the same in blocks of another size, or compressed.
        Exception: an error that the reader does not know of.
    """
    path.write_bytes(one.csv)
    params = parse_params(json.dumps(params_of(path.parent, class_id="all", maskmill=one.keys)), "params")
    form = row_format(params)
    try:
        file = inspect_csv(str(path), len(one.csv), form, ((0, 0),))
        there_are = has_rows(file)
        rows = rows_of(file, BLOCK_BYTES)
    except (CsvFileError, UsageError):
        return Counter({"refused": 1})
    assert there_are or not rows
    for block_bytes in (len(one.csv) // 40 + 1, 2**16 + 1):
        assert rows_of(file, block_bytes) == rows
    if file.compression is None:
        for text in (_gzip(one.csv), zip_bytes({"a.csv": one.csv})):
            path.write_bytes(text)
            compressed = inspect_csv(str(path), len(text), form, ((0, 0),))
            assert compressed.columns == file.columns
            assert rows_of(compressed, BLOCK_BYTES) == rows
    return Counter({"read": 1, **Counter(code or "rows" for *_, code in rows)})


def create_dataset(one: FuzzInput, folder: Path) -> Counter[str]:
    """Runs `create` on an input; counts its exit status.

    Raises:
        AssertionError: it failed in a way that is not meant for people.
    """
    (folder / "data" / "train.csv").write_bytes(one.csv)
    params = write_params(folder / "params.yaml", folder / "data", class_id="all", maskmill=one.keys)
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as err:
        arguments = ["--params", str(params), "--output_dir", str(folder / "out"), "--num_output_files=1", "--quiet"]
        status = maskmill(["create", *arguments, "--max_rejected=100%"])
    said = out.getvalue() + err.getvalue()
    assert status in (0, 1, 2, 3), said
    assert "Traceback" not in said, said
    assert "rows were lost" not in said, said
    shutil.rmtree(folder / "out", ignore_errors=True)
    return Counter({f"create: {status}": 1})


@contextlib.contextmanager
def bounded(seconds: int, memory: int) -> Iterator[None]:
    """Fails where the body takes longer than it may, or more memory than this process ever took before and this."""

    def stop(*_: object) -> None:
        raise AssertionError(f"it takes more than {seconds} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    assert peak <= memory, f"it takes {peak} bytes, more than {memory}"


def fuzz(folder: Path, seed: int, numbers: Iterator[int], *, create_every: int = CREATE_EVERY) -> Counter[str]:
    """Reads inputs; counts what came of them.

    Raises:
        Exception: an input is read in a way that it must not be; its file is in the folder, and its number printed.
    """
    write_images(folder / "data" / "train_images", IMAGES, height=256, width=1600)
    found: Counter[str] = Counter()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 + MEMORY_BYTES
    for number in numbers:
        one = make_input(seed, number)
        try:
            with bounded(SECONDS_FOR_ONE, memory):
                found += read_input(one, folder / "input.csv")
                if number % create_every == 0:
                    found += create_dataset(one, folder)
        except BaseException:
            saved = Path(tempfile.gettempdir()) / f"fuzz-{seed}-{number}.csv"
            saved.write_bytes(one.csv)
            print(f"seed {seed}, input {number}: {saved}, with {json.dumps(one.keys)}", file=sys.stderr, flush=True)
            raise
    return found


def numbers_for(seconds: float) -> Iterator[int]:
    """Yields 0, 1, 2 … for so many seconds."""
    end = time.monotonic() + seconds
    number = 0
    while time.monotonic() < end:
        yield number
        number += 1


def main() -> None:
    """The command of `make torture`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=1800)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--input", type=int, help="only the input of this number")
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}", flush=True)
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_BYTES, ADDRESS_BYTES))
    numbers = numbers_for(arguments.seconds) if arguments.input is None else iter([arguments.input])
    with tempfile.TemporaryDirectory(prefix="fuzz ") as folder:
        found = fuzz(Path(folder), arguments.seed, numbers)
    inputs = found["read"] + found["refused"]
    print(f"{inputs} inputs: " + ", ".join(f"{count} {what}" for what, count in sorted(found.items())) + "; no fault")


if __name__ == "__main__":
    main()
