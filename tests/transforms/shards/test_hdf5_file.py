"""The file of a shard has the layout of the original, or arrays with rows, and the same bytes each time."""

from __future__ import annotations

import errno
import subprocess
import sys
import time
from pathlib import Path

import h5py
import numpy as np
import pytest

from maskmill.transforms.examples.label import LabelFormat
from maskmill.transforms.shards.hdf5_file import ShardFile, read_shard
from tests.support.builders import grey_pixels
from tests.support.command import ROOT
from tests.support.whole_images import encode_whole, form_of

LAYOUTS = pytest.mark.parametrize("layout", ["groups", "arrays"])


def write(path: Path, form: LabelFormat, examples: int, layout: str = "groups", most: int | None = None) -> None:
    with ShardFile(str(path), form_of(form, layout), examples if most is None else most) as file:
        for seed in range(examples):
            image = grey_pixels(seed, form.height, form.width)
            file.append(encode_whole(image, image % 2, form, layout), f"{seed}.jpg")


@LAYOUTS
@pytest.mark.parametrize("loss", ["bce", "multilabel_bce", "ssce"])
@pytest.mark.parametrize("size", [(16, 24), (1200, 1000)])
def test_examples_are_read_as_they_were_written(tmp_path: Path, loss: str, size: tuple[int, int], layout: str) -> None:
    form = LabelFormat(loss, 2, *size, (3,))
    write(tmp_path / "a.h5", form, 2, layout)
    examples = list(read_shard(str(tmp_path / "a.h5")))
    assert len(examples) == 2
    for seed, example in enumerate(examples):
        image = grey_pixels(seed, *size)
        assert np.array_equal(example.image, image[np.newaxis])
        assert np.array_equal(example.label, form.label(image % 2))
        assert example.label.dtype == form.dtype


def test_layout_is_the_originals(tmp_path: Path) -> None:
    write(tmp_path / "a.h5", LabelFormat("bce", 2, 16, 24, (3,)), 11)
    with h5py.File(tmp_path / "a.h5") as file:
        assert set(file) == {f"example_{index}" for index in range(11)}
        assert set(file["example_10"]) == {"image", "label"}
        assert file["example_0/image"].dtype == np.uint8
        assert file["example_0/label"].compression == "gzip"
        assert set(file.attrs) == {"n_examples", "image_ids", "areas", "pixel_sums", "image_hashes"}
        assert file.attrs["n_examples"] == 11
        assert file.attrs["n_examples"].dtype == np.int64


@pytest.mark.parametrize(
    ("label", "chunks"),
    [
        (LabelFormat("bce", 2, 16, 24, (3,)), (1, 1, 16, 24)),
        (LabelFormat("multilabel_bce", 3, 16, 24, (3, 4)), (1, 3, 16, 24)),
        (LabelFormat("multilabel_bce", 3, 16, 24, (3, 4), as_uint8=True), (1, 3, 16, 24)),
        (LabelFormat("ssce", 3, 16, 24, (3, 4)), (1, 16, 24)),
        (LabelFormat("bce", 2, 1200, 1000, (3,)), (1, 1, 1048, 1000)),
        (LabelFormat("multilabel_bce", 3, 800, 1000, (3, 4)), (1, 1, 800, 1000)),
    ],
)
def test_arrays_have_an_example_in_each_row_and_a_chunk_for_it(
    tmp_path: Path, label: LabelFormat, chunks: tuple[int, ...]
) -> None:
    write(tmp_path / "a.h5", label, 3, "arrays")
    with h5py.File(tmp_path / "a.h5") as file:
        images, labels = file["images"], file["labels"]
        assert set(file) == {"images", "labels"}
        assert set(file.attrs) == {"n_examples", "image_ids", "areas", "pixel_sums", "image_hashes"}
        size = (label.height, label.width)
        assert (images.dtype, images.shape, images.maxshape) == (np.uint8, (3, 1, *size), (3, 1, *size))
        assert (images.chunks, images.compression) == ((1, 1, *size), None)
        assert (labels.dtype, labels.shape) == (label.dtype, (3, *label.shape))
        assert (labels.chunks, labels.compression) == (chunks, "gzip")
        pixels = np.stack([grey_pixels(seed, *size) for seed in range(3)])
        assert np.array_equal(images[0:3], pixels[:, np.newaxis])
        assert np.array_equal(labels[1:], [label.label(one % 2) for one in pixels[1:]])


@pytest.mark.parametrize(("examples", "most"), [(0, 0), (0, 4), (3, 5), (1, 1100)])
def test_arrays_have_no_rows_for_examples_that_did_not_come(tmp_path: Path, examples: int, most: int) -> None:
    label = LabelFormat("bce", 2, 16, 24, (3,))
    write(tmp_path / "a.h5", label, examples, "arrays", most)
    with h5py.File(tmp_path / "a.h5") as file:
        assert (file["images"].shape, file["labels"].shape) == ((examples, 1, 16, 24),) * 2
        assert file.attrs["n_examples"] == examples
    found = list(read_shard(str(tmp_path / "a.h5")))
    assert [example.image.tolist() for example in found] == [[grey_pixels(seed).tolist()] for seed in range(examples)]


def test_more_rows_than_there_is_room_for_are_an_error_and_not_lost(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="2 examples were to come at most"):
        write(tmp_path / "a.h5", LabelFormat("bce", 2, 16, 24, (3,)), 3, "arrays", 2)


@pytest.mark.parametrize(("size", "examples"), [((16, 24), 1), ((16, 24), 1500), ((256, 256), 20)])
def test_arrays_take_less_space_than_groups(tmp_path: Path, size: tuple[int, int], examples: int) -> None:
    form = LabelFormat("multilabel_bce", 3, *size, (3, 4))
    sizes = {}
    for layout in ("groups", "arrays"):
        with ShardFile(str(tmp_path / layout), form_of(form, layout), examples) as file:
            example = encode_whole(grey_pixels(0, *size), grey_pixels(0, *size) // 100, form, layout)
            for number in range(examples):
                file.append(example, f"{number:09x}.jpg")
        sizes[layout] = (tmp_path / layout).stat().st_size
    assert sizes["arrays"] < sizes["groups"]
    if examples > 1:
        assert sizes["groups"] - sizes["arrays"] > 500 * examples


@LAYOUTS
def test_measures_of_all_examples_are_in_attributes(tmp_path: Path, layout: str) -> None:
    form = LabelFormat("ssce", 4, 16, 24, (3, 1))
    examples = [encode_whole(grey_pixels(seed), grey_pixels(seed) % 4, form, layout) for seed in range(11)]
    with ShardFile(str(tmp_path / "a.h5"), form_of(form, layout), 11) as file:
        for example in examples:
            file.append(example, "a.jpg")
    with h5py.File(tmp_path / "a.h5") as found:
        areas, pixel_sums, image_hashes = (found.attrs[name] for name in ("areas", "pixel_sums", "image_hashes"))
    assert (areas.dtype, areas.shape) == (np.int32, (11, 2))
    assert (pixel_sums.dtype, pixel_sums.shape) == (np.uint64, (11, 2))
    assert (image_hashes.dtype, image_hashes.shape) == (np.uint64, (11,))
    for example, *row in zip(examples, areas, pixel_sums, image_hashes, strict=True):
        assert row[0].tolist() == example.measures.areas.tolist()
        assert (tuple(row[1].tolist()), int(row[2])) == example.measures[1:]


def test_a_file_without_examples_says_so(tmp_path: Path) -> None:
    write(tmp_path / "a.h5", LabelFormat("bce", 2, 16, 24, (3,)), 0)
    with h5py.File(tmp_path / "a.h5") as file:
        assert (len(file), dict(file.attrs)) == (0, {"n_examples": 0})


def test_images_are_named(tmp_path: Path) -> None:
    form = LabelFormat("bce", 2, 16, 24, (3,))
    image = grey_pixels(0, 16, 24)
    names = ["a.jpg", "ähnlich 缺陷.png", *(f"{index}.jpg" for index in range(20_000))]
    with ShardFile(str(tmp_path / "a.h5"), form_of(form)) as file:
        for name in names:
            file.append(encode_whole(image, image % 2, form), name)
    with h5py.File(tmp_path / "a.h5") as found:
        assert [name.decode() for name in found.attrs["image_ids"]] == names


@LAYOUTS
def test_bytes_do_not_depend_on_the_time(tmp_path: Path, layout: str) -> None:
    form = LabelFormat("bce", 2, 16, 24, (3,))
    write(tmp_path / "a.h5", form, 3, layout, 4)
    time.sleep(1.1)  # HDF5 counts whole seconds
    write(tmp_path / "b.h5", form, 3, layout, 4)
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()


@LAYOUTS
def test_a_file_that_was_cut_off_by_an_error_does_not_say_how_many_examples_it_has(tmp_path: Path, layout: str) -> None:
    form = LabelFormat("bce", 2, 16, 24, (3,))
    with pytest.raises(RuntimeError), ShardFile(str(tmp_path / "a.h5"), form_of(form, layout), 3):
        raise RuntimeError
    with h5py.File(tmp_path / "a.h5") as file:
        assert "n_examples" not in file.attrs


WRITE_TO_A_FULL_DISK = """
import resource, signal, sys
import numpy as np
from maskmill.transforms.shards.hdf5_file import ShardFile
from maskmill.transforms.examples.label import LabelFormat
from tests.support.whole_images import encode_whole, form_of

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), int(sys.argv[2])))
form = LabelFormat("bce", 2, 64, 64, (3,))
image = np.zeros((64, 64), np.uint8)
try:
    with ShardFile(sys.argv[1], form_of(form, sys.argv[3]), 200) as file:
        for _ in range(200):
            file.append(encode_whole(image, image, form, sys.argv[3]), "a.jpg")
except OSError as error:
    sys.exit(f"errno {error.errno}")
"""


@pytest.mark.parametrize(
    ("layout", "limit"),
    [
        *(("groups", limit) for limit in (0, 1, 1000, 100_000, 400_000, 800_000, 880_000)),
        *(("arrays", limit) for limit in (0, 1, 1000, 100_000, 400_000, 800_000, 840_000)),
    ],
)
def test_a_full_disk_is_an_error_and_not_a_crash(tmp_path: Path, limit: int, layout: str) -> None:
    command = [sys.executable, "-c", WRITE_TO_A_FULL_DISK, str(tmp_path / "a.h5"), str(limit), layout]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, timeout=60)
    assert done.returncode == 1, done.stderr
    assert done.stderr.strip() == f"errno {errno.EFBIG}"


OPEN_WITHOUT_A_FREE_DESCRIPTOR = """
import os, resource, sys
from maskmill.transforms.examples.label import LabelFormat
from tests.support.whole_images import encode_whole, form_of
from maskmill.transforms.shards.hdf5_file import ShardFile

free = os.open(os.devnull, os.O_RDONLY)
os.close(free)
resource.setrlimit(resource.RLIMIT_NOFILE, (free, free))
try:
    ShardFile(sys.argv[1], form_of(LabelFormat("bce", 2, 64, 64, (3,))))
except OSError as error:
    sys.exit(error.errno)
"""


def test_a_file_that_cannot_be_opened_is_an_error_and_nothing_else_is_said(tmp_path: Path) -> None:
    # In development mode every Python reports what goes wrong when an object is finalised; since 3.13 each does.
    command = [sys.executable, "-X", "dev", "-c", OPEN_WITHOUT_A_FREE_DESCRIPTOR, str(tmp_path / "a.h5")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, timeout=60)
    assert (done.returncode, done.stderr) == (errno.EMFILE, "")


@LAYOUTS
def test_memory_does_not_grow_with_the_examples_of_a_shard(tmp_path: Path, layout: str) -> None:
    # In a process of its own: what earlier tests have freed would hide it.
    script = """
import sys, psutil
import numpy as np
from maskmill.transforms.shards.hdf5_file import ShardFile
from maskmill.transforms.examples.label import LabelFormat
from tests.support.whole_images import encode_whole, form_of
form, layout = LabelFormat("bce", 2, 16, 24, (3,)), sys.argv[2]
example = encode_whole(np.ones((16, 24), np.uint8), np.ones((16, 24), np.uint8), form, layout)
with ShardFile(sys.argv[1], form_of(form, layout), 4000) as file:
    for number in range(4000):
        if number == 1000:
            before = psutil.Process().memory_info().rss
        file.append(example, "a.jpg")
    print(psutil.Process().memory_info().rss - before)
"""
    command = [sys.executable, "-c", script, str(tmp_path / "a.h5"), layout]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert int(done.stdout) < 6 * 2**20
