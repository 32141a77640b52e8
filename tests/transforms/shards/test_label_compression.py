"""Labels are compressed in a way that HDF5 and the reader know."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from maskmill.inflate import deflated_chunk_shape, inflate
from maskmill.transforms.examples.label import LabelFormat
from maskmill.transforms.shards.hdf5_file import ShardFile, estimate_bytes
from maskmill.transforms.shards.label_compression import compress_chunk
from tests.support.builders import grey_pixels
from tests.support.whole_images import encode_whole, form_of


def test_the_reader_inflates_what_is_compressed() -> None:
    plane = np.repeat(np.array([0, 1, 0], np.uint8), [70, 500, 5])
    assert inflate(compress_chunk(plane, (b"\0", b"\1")), plane.size) == plane.tobytes()


@pytest.mark.parametrize("loss", ["bce", "multilabel_bce", "ssce"])
def test_the_file_declares_it_so_that_hdf5_and_the_reader_recognise_it(tmp_path: Path, loss: str) -> None:
    form = LabelFormat(loss, 2, 16, 24, (3,))
    image = grey_pixels(1)
    with ShardFile(str(tmp_path / "a.h5"), form_of(form)) as file:
        file.append(encode_whole(image, image % 2, form), "a.jpg")
    with h5py.File(tmp_path / "a.h5") as file:
        label = file["example_0/label"]
        assert np.array_equal(label[()], form.label(image % 2))
        assert deflated_chunk_shape(label.id) == form.chunk_shape
        assert deflated_chunk_shape(file["example_0/image"].id) is None


@pytest.mark.parametrize("layout", ["groups", "arrays"])
@pytest.mark.parametrize("loss", ["bce", "multilabel_bce", "ssce"])
@pytest.mark.parametrize("size", [(64, 64), (256, 400)])
def test_the_size_of_an_example_is_estimated_and_not_too_low(
    tmp_path: Path, loss: str, size: tuple[int, int], layout: str
) -> None:
    form = LabelFormat(loss, 2, *size, (3,))
    mask = np.zeros(size, np.uint8)
    mask[size[0] // 4 : size[0] // 2, size[1] // 3 : size[1] // 2] = 1
    with ShardFile(str(tmp_path / "a.h5"), form_of(form, layout), 50) as file:
        for index in range(50):
            file.append(encode_whole(grey_pixels(index, *size), mask, form, layout), f"{index}.jpg")
    measured = (tmp_path / "a.h5").stat().st_size / 50
    assert measured <= estimate_bytes(form_of(form, layout)) <= 1.6 * measured
