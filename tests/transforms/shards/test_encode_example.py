"""An example as it is stored."""

from __future__ import annotations

import numpy as np
import pytest

from maskmill.inflate import inflate
from maskmill.transforms.examples.label import LabelFormat
from maskmill.transforms.examples.measure import count_areas, measure
from maskmill.transforms.examples.view import view_of
from maskmill.transforms.shards.encode_example import encode_example
from tests.support.builders import grey_pixels
from tests.support.whole_images import encode_whole, form_of

MASK = (grey_pixels(1) % 8).astype(np.uint8)  # bits of three classes


@pytest.mark.parametrize("loss", ["bce", "multilabel_bce", "ssce"])
@pytest.mark.parametrize("as_uint8", [False, True])
def test_the_chunks_hold_the_label(loss: str, as_uint8: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("maskmill.transforms.examples.label.MAX_CHUNK_BYTES", 24 * (5 if as_uint8 else 20))  # 5 rows
    form = LabelFormat(loss, 4, 16, 24, (1, 2, 3), as_uint8)
    encoded = encode_whole(grey_pixels(2), MASK, form)
    label = np.full(form.shape, 9, form.dtype)
    for offset, chunk in encoded.label_chunks:
        size = int(np.prod(form.chunk_shape)) * form.dtype.itemsize
        array = np.frombuffer(inflate(chunk, size), form.dtype).reshape(form.chunk_shape)
        target = label[tuple(slice(at, at + n) for at, n in zip(offset, form.chunk_shape, strict=True))]
        target[...] = array[tuple(map(slice, target.shape))]
    assert len(encoded.label_chunks) % 4 == 0  # the last one is not full
    assert np.array_equal(label, form.label(MASK))
    assert encoded.measures.areas.tolist() == count_areas(label, form).tolist()
    assert encoded.measures == measure(grey_pixels(2)[np.newaxis], encoded.measures.areas)


def test_pixels_of_several_classes_are_counted() -> None:
    encoded = encode_whole(grey_pixels(2), MASK, LabelFormat("ssce", 4, 16, 24, (1, 2, 3)))
    assert np.array_equal(encoded.image, grey_pixels(2)[np.newaxis])
    assert encoded.overlap == np.count_nonzero(np.isin(MASK, [3, 5, 6, 7]))


def test_where_views_are_recorded_padding_is_not_measured() -> None:
    image = np.zeros((3, 16, 24), np.uint8)
    image[:, 4:12] = np.stack([grey_pixels(seed, 8, 24) for seed in range(3)])
    form = form_of(LabelFormat("ssce", 4, 16, 24, (1, 2, 3)))._replace(colour="rgb", resize="pad", records_views=True)
    view = view_of((80, 240), (16, 24), "pad")
    assert view.valid == (4, 0, 8, 24)
    encoded = encode_example(image, MASK, view, form)
    areas = encoded.measures.areas
    assert encoded.measures == measure(np.ascontiguousarray(image[:, 4:12]), areas)
    assert encoded.measures.pixel_sums == measure(image, areas).pixel_sums
    assert encoded.measures.image_hash != measure(image, areas).image_hash
