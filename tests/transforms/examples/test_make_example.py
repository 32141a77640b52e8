"""An example is made from its image file and its rows."""

from __future__ import annotations

import numpy as np
import pytest

from maskmill.transforms.annotations.records import MaskRow
from maskmill.transforms.examples.image import decode_grey
from maskmill.transforms.examples.label import LabelFormat
from maskmill.transforms.examples.make_example import RowError, make_example, make_image, make_mask
from maskmill.transforms.examples.resize import resize_bicubic, tile
from maskmill.transforms.examples.spec import ExampleFormat
from maskmill.transforms.examples.view import whole_view
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
    assert np.array_equal(image.pixels, tile(resize_bicubic(decode_grey(JPEG), 10, 12), 25, 40))
    assert image.pixels.flags.c_contiguous
    assert image.view == whole_view((20, 30), (10, 12))


def test_the_limit_of_pixels_is_that_of_the_form() -> None:
    with pytest.raises(DataError) as caught:
        make_image(JPEG, form_of()._replace(max_pixels=599))
    assert caught.value.code is Code.IMAGE_TOO_LARGE
    assert make_image(JPEG, form_of()._replace(max_pixels=600)).pixels.shape == (20, 30)


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
