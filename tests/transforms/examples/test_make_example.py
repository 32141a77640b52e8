"""An example is made from its image file and its rows."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from maskmill.runs import format_runs, mask_to_runs
from maskmill.transforms.annotations.records import MaskRow
from maskmill.transforms.examples import draw_mask as draw_module
from maskmill.transforms.examples import resize as resize_module
from maskmill.transforms.examples.image import decode_grey
from maskmill.transforms.examples.label import LabelFormat
from maskmill.transforms.examples.make_example import RowError, make_example, make_image, make_mask
from maskmill.transforms.examples.resize import resize_bicubic, tile
from maskmill.transforms.examples.spec import ExampleFormat
from maskmill.transforms.examples.view import view_of
from maskmill.transforms.rejected import Code, DataError
from tests.support.builders import grey_pixels, image_bytes
from tests.support.records import a_row, a_spec

JPEG = image_bytes(grey_pixels(1, 20, 30))


def form_of(loss: str = "bce", classes: tuple[int, ...] = (3,), size: tuple[int, int] = (20, 30)) -> ExampleFormat:
    return ExampleFormat(size, LabelFormat(loss, len(classes) + 1, *size, classes))


def rows(*runs: tuple[int, str]) -> tuple[MaskRow, ...]:
    return tuple(a_row(line, class_id, text).mask for line, (class_id, text) in enumerate(runs, 1))


def test_the_image_is_decoded_resized_and_tiled_in_this_order() -> None:
    form = ExampleFormat((10, 12), LabelFormat("bce", 2, 25, 40, (3,)))
    image = make_image(JPEG, form)
    assert np.array_equal(image.pixels[0], tile(resize_bicubic(decode_grey(JPEG), 10, 12), 25, 40))
    assert image.pixels.flags.c_contiguous
    assert image.view == view_of((20, 30), (10, 12))


RGB = np.stack([grey_pixels(seed, 20, 30) for seed in range(3)])


def rgb_form(size: tuple[int, int], resize: str = "stretch") -> ExampleFormat:
    return form_of(size=size)._replace(colour="rgb", resize=resize)


def png_of(planes: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(planes.transpose(1, 2, 0)).save(stream, "PNG")
    return stream.getvalue()


@pytest.mark.parametrize("size", [(20, 30), (20, 12), (11, 30), (40, 60)])
def test_each_plane_of_a_colour_image_is_resized_as_a_grey_one(size: tuple[int, int]) -> None:
    image = make_image(png_of(RGB), rgb_form(size))
    assert image.pixels.shape == (3, *size)
    assert image.pixels.flags.c_contiguous
    for plane, stored in zip(image.pixels, RGB, strict=True):
        assert np.array_equal(
            plane, make_image(image_bytes(stored, mode="L", kind="PNG"), form_of(size=size)).pixels[0]
        )


def test_a_grey_file_gives_three_equal_planes() -> None:
    grey = make_image(JPEG, form_of(size=(10, 12))).pixels
    for resize in ("stretch", "pad", "crop"):
        planes = make_image(image_bytes(grey[0], mode="L", kind="PNG"), rgb_form((16, 12), resize)).pixels
        assert planes.shape == (3, 16, 12)
        assert planes.flags.c_contiguous
        assert (planes == planes[0]).all()


def test_a_colour_image_is_tiled_plane_by_plane() -> None:
    form = ExampleFormat((10, 12), LabelFormat("bce", 2, 25, 40, (3,)), colour="rgb")
    image = make_image(png_of(RGB), form)
    assert np.array_equal(image.pixels, np.stack([tile(resize_bicubic(plane, 10, 12), 25, 40) for plane in RGB]))


def test_a_padded_image_keeps_its_aspect_and_is_0_beside_it() -> None:
    image = make_image(png_of(RGB), rgb_form((16, 12), "pad"))
    assert image.view == ((20, 30), (0, 0, 20, 30), (4, 0, 8, 12))
    assert np.array_equal(image.pixels[:, 4:12], make_image(png_of(RGB), rgb_form((8, 12))).pixels)
    assert not image.pixels[:, :4].any()
    assert not image.pixels[:, 12:].any()


def test_a_cropped_image_is_that_of_the_box_that_it_shows() -> None:
    image = make_image(png_of(RGB), rgb_form((16, 12), "crop"))
    assert image.view == ((20, 30), (0, 7, 20, 15), (0, 0, 16, 12))
    box = np.ascontiguousarray(RGB[:, :, 7:22])
    assert np.array_equal(image.pixels, make_image(png_of(box), rgb_form((16, 12))).pixels)


def blobs(height: int, width: int, seed: int) -> np.ndarray:
    """A mask of rectangles."""
    random, mask = np.random.default_rng(seed), np.zeros((height, width), np.uint8)
    for _ in range(4):
        top, left = random.integers(height), random.integers(width)
        mask[top : top + height // 3, left : left + width // 3] = 1
    return mask


@pytest.mark.parametrize("kernel", [True, False])
@pytest.mark.parametrize("resize", ["stretch", "pad", "crop"])
@pytest.mark.parametrize("size", [(20, 30), (64, 64), (33, 90), (150, 70)])
def test_the_mask_lies_where_the_image_shows_it(
    resize: str, size: tuple[int, int], kernel: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not kernel:
        for module in (resize_module, draw_module):
            monkeypatch.setattr(module, "KERNEL", None)
    for seed, (height, width) in enumerate([(60, 100), (100, 60), (64, 64), (41, 97)]):
        stored = blobs(height, width, seed)
        form = form_of(size=size)._replace(resize=resize)
        image = make_image(image_bytes(stored * 255, mode="L", kind="PNG"), form)
        runs = format_runs(mask_to_runs(stored))
        for by_rows in (False, True):
            text = format_runs(mask_to_runs(stored.T)) if by_rows else runs
            mask = make_mask(rows((3, text)), (height, width), form._replace(by_rows=by_rows))
            assert mask.flags.c_contiguous
            sure = inner(image.pixels[0])
            assert sure.any()
            assert np.array_equal(mask[sure], image.pixels[0][sure] // 255)
            assert np.count_nonzero(mask) == np.count_nonzero(image.view.valid.cut(mask))


def inner(image: np.ndarray) -> np.ndarray:
    """The pixels that are black or white as all their neighbours, so that no edge is near."""
    around = np.lib.stride_tricks.sliding_window_view(np.pad(image, 1, mode="edge"), (3, 3))
    return np.isin(image, [0, 255]) & (around == image[:, :, np.newaxis, np.newaxis]).all(axis=(2, 3))


@pytest.mark.parametrize(("loss", "classes"), [("bce", (3, 4)), ("multilabel_bce", (3, 4)), ("ssce", (3, 4))])
def test_padding_is_background(loss: str, classes: tuple[int, ...]) -> None:
    form = form_of(loss, classes, (30, 30))._replace(resize="pad")
    label = form.label.label(make_mask(rows((3, "1 300"), (4, "301 300")), (20, 30), form))
    assert make_image(JPEG, form).view.valid == (5, 0, 20, 30)
    planes = label if label.ndim == 3 else label[np.newaxis]
    background = planes[0] == 1 if loss == "multilabel_bce" else (planes == 0).all(axis=0)
    assert background[:5].all()
    assert background[25:].all()
    assert not background[5:25].any()


def test_the_limit_of_pixels_is_that_of_the_form() -> None:
    with pytest.raises(DataError) as caught:
        make_image(JPEG, form_of()._replace(max_pixels=599))
    assert caught.value.code is Code.IMAGE_TOO_LARGE
    assert make_image(JPEG, form_of()._replace(max_pixels=600)).pixels.shape == (1, 20, 30)


def test_rows_of_a_class_are_united_and_classes_are_bits() -> None:
    mask = make_mask(rows((3, "1 2"), (4, "2 2"), (3, "21 1")), (20, 30), form_of(classes=(3, 4)))
    assert mask.flags.c_contiguous
    assert mask[:4, 0].tolist() == [1, 3, 2, 0]
    assert mask[0, 1] == 1
    assert np.count_nonzero(mask) == 4


def test_without_rows_the_mask_is_empty() -> None:
    mask = make_mask((), (20, 30), form_of(classes=(3, 4)))
    assert (mask.shape, mask.dtype, mask.any()) == ((20, 30), np.uint8, np.False_)


def test_the_mask_is_drawn_at_the_size_of_the_file_and_then_resized() -> None:
    mask = make_mask(rows((3, "1 20")), (20, 30), form_of(size=(10, 15)))
    assert mask.shape == (10, 15)
    assert mask[:, 0].all()
    assert not mask[:, 1:].any()


def test_a_run_past_the_image_is_an_error_of_its_row() -> None:
    with pytest.raises(RowError, match="past the image's 600") as caught:
        make_mask(rows((3, "1 2"), (3, "600 2")), (20, 30), form_of())
    assert (caught.value.row, caught.value.code) == (1, Code.RLE_OUT_OF_BOUNDS)


@pytest.mark.parametrize("loss", ["bce", "multilabel_bce", "ssce"])
def test_the_arrays_have_the_form_of_the_loss(loss: str) -> None:
    form = form_of(loss, (3, 4))
    spec = a_spec("a.jpg", classes=(3, 4))
    example = make_example(spec, JPEG, form)
    assert np.array_equal(example.image, decode_grey(JPEG)[np.newaxis])
    assert (example.label.shape, example.label.dtype) == (form.label.shape, form.label.dtype)
    assert np.array_equal(example.label, form.label.label(make_mask(spec.rows, (20, 30), form)))


def test_an_image_that_cannot_be_decoded_is_no_error_of_a_row() -> None:
    with pytest.raises(DataError) as caught:
        make_example(a_spec("a.jpg"), b"no image", form_of())
    assert not isinstance(caught.value, RowError)
