"""Masks become labels, by loss."""

from __future__ import annotations

import numpy as np
import pytest

from maskmill.transforms.examples.label import MAX_CHUNK_BYTES, LabelFormat

MASK = (np.arange(24).reshape(4, 6) % 5 == 0).astype(np.uint8)


@pytest.mark.parametrize(
    ("loss", "dtype", "shape"),
    [("bce", "float32", (1, 4, 6)), ("multilabel_bce", "float32", (3, 4, 6)), ("ssce", "int32", (4, 6))],
)
def test_label_has_the_dtype_and_shape_of_its_loss(loss: str, dtype: str, shape: tuple[int, ...]) -> None:
    label = LabelFormat(loss, 3, 4, 6, (3,)).label(MASK)
    assert (label.dtype, label.shape) == (dtype, shape)


def test_bce_and_ssce_labels_are_the_mask() -> None:
    assert np.array_equal(LabelFormat("bce", 2, 4, 6, (3,)).label(MASK)[0], MASK)
    assert np.array_equal(LabelFormat("ssce", 2, 4, 6, (3,)).label(MASK), MASK)


def test_multilabel_is_one_hot_with_the_background_first() -> None:
    label = LabelFormat("multilabel_bce", 3, 4, 6, (3,)).label(MASK)
    assert np.array_equal(label[0], 1 - MASK)
    assert np.array_equal(label[1], MASK)
    assert not label[2].any()


@pytest.mark.parametrize("largest", [False, True])
@pytest.mark.parametrize("loss", ["bce", "multilabel_bce", "ssce"])
@pytest.mark.parametrize(("height", "width"), [(4, 6), (1000, 1600), (600, 800), (1500, 3001), (3, 2_000_000)])
def test_chunks_make_up_the_label_and_are_small(loss: str, height: int, width: int, largest: bool) -> None:
    form = LabelFormat(loss, 2, height, width, (3,))
    chunk_shape = form.largest_chunk_shape if largest else form.chunk_shape
    mask = np.zeros((height, width), np.uint8)
    mask[height // 2 :, ::3] = 1
    label = np.full(form.shape, 7, form.dtype)
    for offset, chunk in form.chunks(mask, largest=largest):
        assert chunk.shape == chunk_shape
        assert chunk.size * form.dtype.itemsize <= max(MAX_CHUNK_BYTES, form.dtype.itemsize * width)
        target = label[tuple(slice(o, o + n) for o, n in zip(offset, chunk.shape, strict=True))]
        numbers = np.frombuffer(b"".join(form.numbers), form.dtype)
        target[...] = numbers[chunk][tuple(slice(n) for n in target.shape)]
    assert np.array_equal(label, form.label(mask))


@pytest.mark.parametrize(
    ("loss", "size", "expected"),
    [
        ("multilabel_bce", (512, 512), (4, 512, 512)),
        ("multilabel_bce", (512, 513), (1, 512, 513)),
        ("bce", (1024, 1024), (1, 1024, 1024)),
        ("bce", (1024, 1025), (1, 1023, 1025)),
        ("ssce", (1024, 1024), (1024, 1024)),
    ],
)
def test_the_largest_chunk_is_the_whole_label_up_to_4_mib(
    loss: str, size: tuple[int, int], expected: tuple[int, ...]
) -> None:
    assert LabelFormat(loss, 4, *size, (3, 4)).largest_chunk_shape == expected
