"""An example of a crop shows exactly that part of its image and of its whole label."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from maskmill.names import LOSSES
from maskmill.runs import mask_to_runs
from maskmill.transforms.annotations.records import MaskRow
from maskmill.transforms.examples.crops import EDGES, CropFormat
from maskmill.transforms.examples.image import decode_grey
from maskmill.transforms.examples.label import LabelFormat
from maskmill.transforms.examples.make_crops import MadeCrop, make_crops
from maskmill.transforms.examples.make_example import RowError, make_mask
from maskmill.transforms.examples.resize import resize_bicubic, resize_mask
from maskmill.transforms.examples.rle import pack_runs
from maskmill.transforms.examples.spec import ExampleFormat, ExampleSpec
from maskmill.transforms.rejected import Code, DataError, Line
from tests.support.builders import grey_pixels, image_bytes
from tests.support.shards import spec_of

CLASSES = (3, 1)
SOURCE = (20, 30)
PIXELS = grey_pixels(1, *SOURCE)
PNG = image_bytes(PIXELS, mode="L", kind="PNG")


def form_of(crops: CropFormat, loss: str = "ssce", size: tuple[int, int] | None = None) -> ExampleFormat:
    label = LabelFormat(loss, len(CLASSES) + 1, *(size or crops.size), CLASSES)
    return ExampleFormat(size or crops.size, label, crops=crops)


def whole(crops: CropFormat, loss: str) -> ExampleFormat:
    """The form of whole images with the same labels."""
    return form_of(crops, loss, crops.source)._replace(crops=None)


def spec_with(masks: dict[int, np.ndarray]) -> ExampleSpec:
    rows = [MaskRow(Line("", 0, 0), class_id, pack_runs(mask_to_runs(mask))) for class_id, mask in masks.items()]
    return spec_of("a.png")._replace(rows=tuple(rows))


def random_masks(seed: int, share: float = 0.1, size: tuple[int, int] = SOURCE) -> dict[int, np.ndarray]:
    random = np.random.default_rng(seed)
    return {class_id: random.random(size) < share for class_id in CLASSES}


def label_of(crop: MadeCrop, form: ExampleFormat) -> np.ndarray:
    empty = np.zeros(form.resized, form.label.mask_dtype)
    return form.label.label(empty if crop.mask is None else crop.mask)


@given(
    loss=st.sampled_from(LOSSES),
    edge=st.sampled_from(EDGES),
    size=st.tuples(st.integers(1, 20), st.integers(1, 30)),
    data=st.data(),
    seed=st.integers(0, 999),
    share=st.sampled_from([0.0, 0.01, 0.3]),
)
@settings(max_examples=200, deadline=None)
def test_image_and_label_are_the_crop_of_the_whole(
    loss: str, edge: str, size: tuple[int, int], data: st.DataObject, seed: int, share: float
) -> None:
    stride = data.draw(st.integers(1, size[0])), data.draw(st.integers(1, size[1]))
    form = form_of(CropFormat(size, stride, edge, 1.0, SOURCE), loss)
    assert form.crops is not None
    spec = spec_with(random_masks(seed, share))
    full = whole(form.crops, loss)
    label = full.label.label(make_mask(spec.rows, SOURCE, full))
    background = form.label.label(np.zeros(size, form.label.mask_dtype))
    shown = np.zeros(SOURCE, bool)
    for crop in make_crops(spec, PNG, form):
        top, left, height, width = crop.view.shown
        assert crop.view == (SOURCE, (top, left, height, width), (0, 0, height, width))
        box = slice(top, top + height), slice(left, left + width)
        shown[box] = True
        assert crop.pixels.flags.c_contiguous
        assert np.array_equal(crop.pixels[0, :height, :width], PIXELS[box])
        assert not crop.pixels[0, height:].any()
        assert not crop.pixels[0, :, width:].any()
        expected = background.copy()
        expected[..., :height, :width] = label[(..., *box)]
        assert np.array_equal(label_of(crop, form), expected)
    assert shown.all() or edge == "drop"


@pytest.mark.parametrize("loss", LOSSES)
def test_a_crop_is_resized_as_an_image_of_its_own(loss: str) -> None:
    form = form_of(CropFormat((16, 12), (4, 9), "shift", 1.0, SOURCE), loss, (8, 24))
    spec = spec_with(random_masks(1))
    assert form.crops is not None
    full = whole(form.crops, loss)
    mask = make_mask(spec.rows, SOURCE, full)
    for crop in make_crops(spec, PNG, form):
        top, left, *_ = crop.view.shown
        box = slice(top, top + 16), slice(left, left + 12)
        assert np.array_equal(crop.pixels[0], resize_bicubic(PIXELS[box], 8, 24))
        assert crop.mask is not None
        assert np.array_equal(crop.mask, resize_mask(mask[box], 8, 24))
        assert crop.view.valid == (0, 0, 8, 24)


def test_what_pads_a_resized_crop_is_outside_its_view() -> None:
    form = form_of(CropFormat((20, 20), (20, 20), "pad", 1.0, SOURCE), size=(10, 10))
    last = make_crops(spec_with(random_masks(1)), PNG, form)[-1]
    assert last.view == (SOURCE, (0, 20, 20, 10), (0, 0, 10, 5))
    assert np.array_equal(last.pixels[0, :, :5], resize_bicubic(PIXELS[:, 20:], 10, 5))
    assert not last.pixels[0, :, 5:].any()
    assert last.mask is not None
    assert not last.mask[:, 5:].any()


def test_only_crops_with_a_defect_are_made_if_empty_ones_are_not_wanted() -> None:
    mask = np.zeros(SOURCE, bool)
    mask[15, 7] = True
    form = form_of(CropFormat((10, 10), (10, 10), "shift", 0.0, SOURCE))
    [crop] = make_crops(spec_with({1: mask}), PNG, form)
    assert crop.view.shown == (10, 0, 10, 10)
    assert np.argwhere(label_of(crop, form) == 2).tolist() == [[5, 7]]


def test_an_image_of_another_size_is_refused_before_its_mask_is_drawn() -> None:
    form = form_of(CropFormat((10, 10), (10, 10), "shift", 1.0, (30, 20)))
    with pytest.raises(DataError, match=r"has 20 x 30 pixels, and maskmill\.crops\.source says 30 x 20") as caught:
        make_crops(spec_of("a.png", runs="600 9"), PNG, form)
    assert caught.value.code is Code.IMAGE_OTHER_SIZE


def test_a_run_past_the_image_is_an_error_of_its_row() -> None:
    form = form_of(CropFormat((10, 10), (10, 10), "shift", 0.0, SOURCE))
    with pytest.raises(RowError, match="past the image's 600"):
        make_crops(spec_of("a.png", runs="600 2"), PNG, form)


def test_a_jpeg_is_decoded_as_a_whole_and_then_cut() -> None:
    jpeg = image_bytes(PIXELS)
    form = form_of(CropFormat((7, 11), (7, 11), "shift", 1.0, SOURCE))
    for crop in make_crops(spec_with(random_masks(2)), jpeg, form):
        top, left, height, width = crop.view.shown
        assert np.array_equal(crop.pixels[0], decode_grey(jpeg)[top : top + height, left : left + width])


@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_colours_are_cut_and_padded_as_grey_is(mode: str) -> None:
    picture = np.stack([grey_pixels(seed, *SOURCE) for seed in range(3)], axis=2) if mode == "RGB" else PIXELS
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, "PNG")
    planes = np.moveaxis(picture, 2, 0) if mode == "RGB" else np.stack([PIXELS] * 3)
    form = form_of(CropFormat((20, 20), (20, 20), "pad", 1.0, SOURCE), size=(10, 10))._replace(colour="rgb")
    first, last = make_crops(spec_with(random_masks(1)), stream.getvalue(), form)
    assert np.array_equal(first.pixels, [resize_bicubic(plane[:, :20], 10, 10) for plane in planes])
    assert np.array_equal(last.pixels[..., :5], [resize_bicubic(plane[:, 20:], 10, 5) for plane in planes])
    assert last.pixels.shape == (3, 10, 10)
    assert not last.pixels[..., 5:].any()
