"""No value above 1 MB crosses a shuffle, whatever stands in the input."""

from __future__ import annotations

import base64
import gzip
import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from apache_beam.coders.coder_impl import create_InputStream
from apache_beam.runners.portability.fn_api_runner.execution import GroupingBuffer

from maskmill.runs import format_runs
from maskmill.transforms.limits import MAX_LINE_BYTES
from tests.support.builders import HEADER, write_dataset
from tests.support.command import create, manifest

LIMIT = 1_000_000


@pytest.fixture
def sizes(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Bytes of every element, encoded, that the in-process runner groups by key."""
    found: list[int] = []
    append = GroupingBuffer.append

    def measure(buffer: GroupingBuffer, data: bytes) -> None:
        stream = create_InputStream(data)
        while left := stream.size():
            buffer._pre_grouped_coder.get_impl().decode_from_stream(stream, True)
            found.append(left - stream.size())
        append(buffer, data)

    monkeypatch.setattr(GroupingBuffer, "append", measure)
    yield found
    assert found
    assert max(found) <= LIMIT


def random_mask(seed: int, runs: int) -> str:
    """Runs that do not deflate."""
    return format_runs(np.random.default_rng(seed).integers(1, 2**31 - 2, (runs, 2)))


def make(tmp_path: Path, rows: list[str], *flags: str, name: str = "train.csv", extra: str = "") -> dict:
    """Makes a dataset of images a.jpg and b.jpg, of which all rows may be bad but theirs; gives its manifest."""
    data = write_dataset(tmp_path / "data", ["a.jpg,3,1 2", "b.jpg,3,1 2"])
    text = "\n".join(
        [f"{HEADER}{extra}", *(f"{row}{',' if extra else ''}" for row in ("a.jpg,3,1 2", "b.jpg,3,1 2")), *rows, ""]
    )
    content = text.encode()
    (data / name).write_bytes(gzip.compress(content, 1) if name.endswith(".gz") else content)
    maskmill = {"csv": name, "runs": {"unsorted": "accept"}}
    return manifest(create(tmp_path, data, "--max_rejected=100%", *flags, maskmill=maskmill))


def test_a_mask_as_large_as_is_accepted(tmp_path: Path, sizes: list[int]) -> None:
    made = make(tmp_path, [f"a.jpg,3,{random_mask(1, 112_000)}", f"b.jpg,3,{random_mask(2, 126_000)}"])
    assert max(sizes) > LIMIT * 0.8
    # That it ends past the image is found later.
    # The other row of b.jpg does not make an example of a part of its mask.
    assert made["rejected"] == {"MASK_INCOMPLETE": 1, "RLE_OUT_OF_BOUNDS": 1, "RLE_TOO_LONG": 1}


def test_masks_of_one_image_that_are_too_large_together(tmp_path: Path, sizes: list[int]) -> None:
    made = make(tmp_path, [f"a.jpg,3,{random_mask(seed, 80_000)}" for seed in range(3)])
    assert made["rejected"] == {"RLE_TOO_LONG": 1}
    assert made["rows"]["in_examples"] == 1


def test_thousands_of_rows_of_one_image(tmp_path: Path, sizes: list[int]) -> None:
    made = make(tmp_path, ["a.jpg,3,1 2"] * 20_000)
    assert made["rejected"] == {"RLE_TOO_LONG": 1}


def test_lines_of_a_compressed_file_that_do_not_deflate(tmp_path: Path, sizes: list[int]) -> None:
    noise = base64.b85encode(random.Random(1).randbytes(MAX_LINE_BYTES // 2)).decode().replace(",", ";")
    rows = [f"b.jpg,4,1 2,{noise}", "b.jpg,3,9 2,", f"b.jpg,4,1 2,{noise}{noise}", "a.jpg,3,9 2,"]
    made = make(tmp_path, rows, name="train.csv.gz", extra=",Remark")
    assert made["rejected"] == {"CSV_LINE_TOO_LONG": 1}
    assert made["rows"]["read"] == 6
    assert made["rows"]["in_examples"] == 4


def test_a_compressed_file_of_noise(tmp_path: Path, sizes: list[int]) -> None:
    noise = base64.b85encode(random.Random(1).randbytes(3_000_000)).decode().replace(",", ";")
    make(
        tmp_path,
        [f"b.jpg,4,1 2,{noise[i : i + 500]}" for i in range(0, len(noise), 500)],
        name="train.csv.gz",
        extra=",R",
    )


def test_the_name_of_an_image_that_is_no_name(tmp_path: Path, sizes: list[int]) -> None:
    made = make(tmp_path, [f"{'x' * 5_000_000}.jpg,3,1 2", f"{'x' * 1000}.jpg,3,1 2"])
    assert made["rejected"] == {"IMAGE_ID_INVALID": 1, "IMAGE_MISSING": 1}


def test_a_shard_of_which_thousands_of_examples_are_rejected(tmp_path: Path, sizes: list[int]) -> None:
    data = write_dataset(tmp_path / "data", ["a.jpg,3,1 2"])
    names = [f"{number}.jpg" for number in range(9_000)]
    for name in names:
        (data / "train_images" / name).hardlink_to(data / "train_images" / "a.jpg")
    # Each past the image's end, and each with a message of its own.
    rows = "".join(f"{name},3,1 {number}\n" for number, name in enumerate(names, start=1000))
    (data / "train.csv").write_text(f"{HEADER}\na.jpg,3,1 2\n{rows}")
    made = manifest(create(tmp_path, data, "--max_rejected=100%", "--num_output_files=1", train_test_split=0.95))
    assert made["rejected"] == {"RLE_OUT_OF_BOUNDS": 9_000}


def test_many_shards_below_a_long_path(tmp_path: Path, sizes: list[int]) -> None:
    output = "/".join(["x" * 200] * 5)
    data = write_dataset(tmp_path / "data", [f"{number}.jpg,3,1 2" for number in range(50)])
    made = manifest(create(tmp_path, data, "--num_output_files=300", output=output))
    assert made["rows"]["in_examples"] == 50
