"""The fuzzing of `make torture`: a short run of it, and that it finds what it looks for."""

from __future__ import annotations

import itertools
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from maskmill.transforms.rejected import Code, DataError
from tests.support.fuzz_images import Decoder, FuzzError, Mutations, fuzz, sound_files

pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the memory is read from /proc")


def test_sound_files_of_every_format_are_read(tmp_path: Path) -> None:
    decoder = Decoder()
    found = fuzz(sound_files(), decoder, tmp_path)
    decoder.stop()
    # Animations, pages, and floating point, of two images each.
    assert found.keys() == {"pixels", Code.IMAGE_SEVERAL_FRAMES.value, Code.IMAGE_MODE_UNSUPPORTED.value}
    assert found["pixels"] > 100


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_damaged_files_give_pixels_or_a_data_error(tmp_path: Path, seed: int) -> None:
    decoder = Decoder(seconds=60)
    found = fuzz(itertools.islice(Mutations(sound_files(), seed), 1500), decoder, tmp_path)
    decoder.stop()
    assert found.total() == 1500
    assert len(found) > 6, "kinds of outcomes"


def test_the_same_seed_gives_the_same_files() -> None:
    first, second = (list(itertools.islice(Mutations([bytes(1000)], 7), 20)) for _ in range(2))
    assert first == second
    assert list(itertools.islice(Mutations([bytes(1000)], 8), 20)) != first


def take_long(data: bytes, max_pixels: int) -> None:
    time.sleep(60)


def raise_something(data: bytes, max_pixels: int) -> None:
    raise ZeroDivisionError("a fault of its own")


def die(data: bytes, max_pixels: int) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def leave(data: bytes, max_pixels: int) -> None:
    sys.exit()


def take_memory(data: bytes, max_pixels: int) -> None:
    bytearray(b"x") * (300 * 2**20)


def reserve_memory(data: bytes, max_pixels: int) -> None:
    bytearray(7 * 2**30)


@pytest.mark.parametrize(
    ("decode", "words"),
    [
        (take_long, "not decoded after"),
        (raise_something, "ZeroDivisionError: a fault of its own"),
        (die, "the process died with exit status -9"),
        (leave, "SystemExit"),
        (take_memory, "MiB of memory"),
        (reserve_memory, "MemoryError"),
    ],
)
def test_a_fault_is_found_and_its_file_is_left(
    tmp_path: Path, decode: Callable[[bytes, int], object], words: str
) -> None:
    decoder = Decoder(decode, seconds=1 if decode is take_long else 60)
    with pytest.raises(FuzzError, match=words) as caught:
        fuzz([b"one", b"other"], decoder, tmp_path / "faults")
    decoder.stop()
    left = sorted((tmp_path / "faults").iterdir())
    assert sorted(path.read_bytes() for path in left) == [b"one", b"other"]
    assert all(str(path) in str(caught.value) for path in left)


def refuse(data: bytes, max_pixels: int) -> None:
    raise DataError(Code.IMAGE_EMPTY, "")


def test_outcomes_are_counted(tmp_path: Path) -> None:
    decoder = Decoder(refuse)
    assert fuzz([b"one", b"other"], decoder, tmp_path) == {"IMAGE_EMPTY": 2}
    decoder.stop()
    assert list(tmp_path.iterdir()) == []
