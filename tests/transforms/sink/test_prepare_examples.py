"""Examples are decoded and encoded in groups; what cannot be made says why."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from maskmill.transforms.examples.crops import CropFormat
from maskmill.transforms.examples.image import decode_grey
from maskmill.transforms.examples.make_example import RowError, make_example
from maskmill.transforms.examples.spec import ExampleFormat
from maskmill.transforms.rejected import Code, DataError
from maskmill.transforms.shards.records import RejectedExample
from maskmill.transforms.sink.prepare_examples import (
    GROUP,
    GROUP_BYTES,
    group_for,
    in_groups,
    prepare_examples,
    rejected_by,
)
from tests.support.builders import image_bytes, write_images
from tests.support.shards import FORM, spec_of
from tests.support.whole_images import encode_whole


@pytest.fixture(name="images")
def make_images(tmp_path: Path) -> Path:
    write_images(tmp_path, ["a.jpg", "b.jpg", "c.jpg"])
    (tmp_path / "b.jpg").write_bytes(b"")
    return tmp_path


def test_an_example_is_that_of_make_example_and_what_cannot_be_made_says_why(images: Path) -> None:
    good, empty = spec_of(images / "a.jpg"), spec_of(images / "b.jpg")
    out_of_bounds = spec_of(images / "c.jpg", rows=2)
    past = spec_of(images / "c.jpg", runs="384 9").rows[0]
    out_of_bounds = out_of_bounds._replace(rows=(out_of_bounds.rows[0], past))
    found = prepare_examples([(good, None), (empty, None), (out_of_bounds, None)], FORM)
    expected = make_example(good, (images / "a.jpg").read_bytes(), FORM)
    of_first, *rejected = found
    assert not isinstance(of_first, RejectedExample)
    [first] = of_first
    assert np.array_equal(first.image, expected.image)
    mask = expected.label[0].astype(np.uint8)
    assert first.label_chunks == encode_whole(expected.image[0], mask, FORM.label).label_chunks
    codes = [(one.row, one.code) for one in rejected if isinstance(one, RejectedExample)]
    assert codes == [(None, "IMAGE_EMPTY"), (1, "RLE_OUT_OF_BOUNDS")]


def test_an_image_that_is_cut_gives_an_example_for_each_crop(images: Path) -> None:
    form = ExampleFormat((8, 8), FORM.label._replace(height=8, width=8))
    form = form._replace(crops=CropFormat((8, 8), (8, 8), "shift", 1.0, (16, 24)))
    spec = spec_of(images / "a.jpg", runs="9 3")
    of_image, rejected = prepare_examples([(spec, None), (spec_of(images / "b.jpg"), None)], form)
    assert not isinstance(of_image, RejectedExample)
    assert isinstance(rejected, RejectedExample)
    pixels = decode_grey((images / "a.jpg").read_bytes())
    parts = pixels.reshape(2, 8, 3, 8).swapaxes(1, 2).reshape(6, 1, 8, 8)
    assert np.array_equal(np.stack([one.image for one in of_image]), parts)
    assert [one.view.shown[:2] for one in of_image] == [(top, left) for top in (0, 8) for left in (0, 8, 16)]
    assert [int(one.measures.areas[0]) for one in of_image] == [0, 0, 0, 3, 0, 0]
    empty = encode_whole(parts[0, 0], np.zeros((8, 8), np.uint8), form.label)
    assert of_image[0].label_chunks == empty.label_chunks


def test_bytes_that_were_read_ahead_are_used(images: Path) -> None:
    gone = spec_of(images / "gone.jpg")
    pixels = np.full((16, 24), 77, np.uint8)
    [of_image] = prepare_examples([(gone, image_bytes(pixels, kind="PNG", mode="L"))], FORM)
    assert not isinstance(of_image, RejectedExample)
    [found] = of_image
    assert (found.image == 77).all()
    with pytest.raises(FileNotFoundError):
        prepare_examples([(gone, None)], FORM)


def test_an_error_of_a_row_names_it_and_one_of_the_image_does_not() -> None:
    error = DataError(Code.RLE_OUT_OF_BOUNDS, "past the image")
    assert rejected_by(RowError(error, 2)) == RejectedExample(2, "RLE_OUT_OF_BOUNDS", "past the image")
    assert rejected_by(error) == RejectedExample(None, "RLE_OUT_OF_BOUNDS", "past the image")


@pytest.mark.parametrize(("items", "groups"), [(0, []), (3, [3]), (7, [3, 3, 1])])
def test_every_item_is_in_one_group(items: int, groups: list[int]) -> None:
    found = list(in_groups(range(items), 3))
    assert [len(group) for group in found] == groups
    assert [item for group in found for item in group] == list(range(items))


@pytest.mark.parametrize(
    ("size", "examples", "workers", "read", "group"),
    [
        (16, 1000, 4, 0, GROUP),
        (16, 8, 4, 0, 2),  # each worker has one
        (16, 0, 4, 0, 1),
        (4096, 1000, 4, 0, 1),  # large examples
        (16, 1000, 4, GROUP_BYTES // 3, 3),  # large files
    ],
)
def test_a_group_fits_into_the_cache_and_leaves_work_for_every_worker(
    size: int, examples: int, workers: int, read: int, group: int
) -> None:
    form = ExampleFormat((size, size), FORM.label._replace(height=size, width=size))
    assert group_for(form, examples, workers, read) == group
