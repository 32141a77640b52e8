"""Puts predictions for the examples of an image together again, at the size of its file."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from maskmill.dataset import Dataset
from maskmill.errors import DatasetError
from maskmill.views import View, Views

Array = NDArray[Any]


class Stitched(NamedTuple):
    """The prediction for an image.

    Attributes:
        image_id: file name of the image.
        prediction: [..., H, W], at the size of the image file.
    """

    image_id: str
    prediction: Array


def stitch(
    dataset: Dataset, predictions: Iterable[ArrayLike], *, batched: bool | None = None, fill: float = 0
) -> Iterator[Stitched]:
    """Puts the predictions for the crops of each image together, one image at a time.

    Where crops overlap, numbers with a fraction are averaged; of integers and booleans, such as masks and numbers of
    classes, the largest counts. A crop that was resized is resized back: floats by bilinear interpolation, others to
    the nearest neighbour. It works for every dataset that records views, such as one of padded images.

    Args:
        dataset: result of `open_dataset`, or a part of it in index order.
        predictions: for its examples, in the order of their indices, each [H, W] or [channels, H, W] in the size of an
            example; or batches of these, [n, H, W] or [n, channels, H, W].
        batched: whether `predictions` are batches. None takes arrays of four dimensions for batches, and others for
            single predictions.
        fill: value of pixels that no example shows, because empty crops were left out, or crops end before the edge.

    Yields:
        ImageId and prediction of each image, in the order of the dataset.

    Raises:
        DatasetError: the dataset does not record which part of an image an example shows.
        ValueError: there are more or fewer predictions than examples, one has another size than the examples, or those
            of an image have different shapes or types; or the examples of an image are not neighbours in the dataset.
    """
    views, image_ids = dataset.views, dataset.image_ids
    if views is None and image_ids:
        raise DatasetError(
            f"{dataset.path}: {dataset.split} does not record the sizes of its images; set maskmill.views: true in the "
            "parameter file, and make it again"
        )
    _check_neighbours(image_ids)
    size = dataset.image_shape[-2:] if image_ids else ()
    return _stitch_images(image_ids, views, _one_by_one(predictions, batched), size, fill)


def restore(prediction: Array, view: View) -> Array:
    """Puts the prediction for an example back to the pixels of its image.

    Args:
        prediction: [..., H, W], in the size of the example.
        view: what the example shows.

    Returns:
        [..., height, width] of `view.shown`, without what is padding or repeated in the example. If the example was
        resized: floats by bilinear interpolation, others the nearest neighbour.
    """
    valid = view.valid.cut(prediction)
    resize = _resize_linear if np.issubdtype(prediction.dtype, np.inexact) else _resize_nearest
    for axis, size in zip((-2, -1), view.shown.size, strict=True):
        if valid.shape[axis] != size:
            valid = resize(valid, size, axis)
    return valid


def _resize_nearest(array: Array, size: int, axis: int) -> Array:
    """Resizes along an axis to the nearest neighbour of the middle of each pixel."""
    length = array.shape[axis]
    nearest: Array = np.take(array, (2 * np.arange(size) + 1) * length // (2 * size), axis)
    return nearest


def _resize_linear(array: Array, size: int, axis: int) -> Array:
    """Resizes along an axis by linear interpolation between the middles of pixels."""
    length = array.shape[axis]
    place = ((np.arange(size) + 0.5) * length / size - 0.5).clip(0, length - 1)
    low = place.astype(np.int64)
    weight = (place - low).astype(array.dtype).reshape(size, *(1 for _ in range(-1 - axis)))
    # An infinite value times a weight of 0 would be no number.
    largest = np.finfo(array.dtype).max
    finite = array.clip(-largest, largest)
    low_part, high_part = np.take(finite, low, axis), np.take(finite, np.minimum(low + 1, length - 1), axis)
    mixed: Array = low_part * (1 - weight) + high_part * weight
    return mixed


def _check_neighbours(image_ids: Sequence[str]) -> None:
    firsts = [image_id for image_id, _ in itertools.groupby(image_ids)]
    if len(set(firsts)) < len(firsts):
        twice = next(image_id for image_id, number in Counter(firsts).items() if number > 1)
        raise ValueError(
            f"{twice}: its examples are not neighbours in this part of the dataset, so they cannot be put together; "
            "predict in the order of the indices, without shuffling"
        )


def _one_by_one(predictions: Iterable[ArrayLike], batched: bool | None) -> Iterator[Array]:
    for one in map(np.asarray, predictions):
        if batched or (batched is None and one.ndim == 4):
            yield from one
        else:
            yield one


def _stitch_images(
    image_ids: Sequence[str], views: Views | None, predictions: Iterator[Array], size: tuple[int, ...], fill: float
) -> Iterator[Stitched]:
    for image_id, of_image in itertools.groupby(range(len(image_ids)), image_ids.__getitem__):
        canvas: _Canvas | None = None
        assert views is not None  # there are examples
        for index in of_image:
            prediction = next(predictions, None)
            if prediction is None:
                raise ValueError(f"there are {index} predictions for {len(image_ids)} examples{_OF_BATCHES}")
            if prediction.ndim not in (2, 3) or prediction.shape[-2:] != size:
                found, wanted = list(prediction.shape), f"[{size[0]}, {size[1]}]"
                raise ValueError(
                    f"prediction {index}, for {image_id}, has the shape {found} instead of {wanted} or [channels, "
                    f"{wanted[1:]}{_OF_BATCHES}"
                )
            view = views.of(index)
            canvas = canvas or _Canvas(view.image_size, prediction, fill)
            if (prediction.shape, prediction.dtype) != canvas.form:
                form = f"{prediction.dtype} {list(prediction.shape)}"
                raise ValueError(f"{image_id}: prediction {index} is {form}, and the one before it has another form")
            canvas.add(prediction, view)
        assert canvas is not None  # groups are not empty
        yield Stitched(image_id, canvas.finish())
    if next(predictions, None) is not None:
        raise ValueError(f"there are more predictions than the {len(image_ids)} examples{_OF_BATCHES}")


_OF_BATCHES = "; if each of them is a batch, set batched=True"


class _Canvas:
    """The prediction for an image, while its parts are added.

    Attributes:
        form: shape and type of the parts.

    Args:
        size: (height, width) of the image, in pixels.
        first: the first prediction.
        fill: see `stitch`.
    """

    def __init__(self, size: tuple[int, int], first: Array, fill: float) -> None:
        self.form = first.shape, first.dtype
        self._averages = np.issubdtype(first.dtype, np.inexact)
        dtype = np.result_type(first.dtype, np.float32) if self._averages else first.dtype
        self._values = np.zeros((*first.shape[:-2], *size), dtype)
        self._parts = np.zeros(size, np.int32)
        self._fill = fill

    def add(self, prediction: Array, view: View) -> None:
        """Adds the prediction for the next example."""
        values, parts, part = view.shown.cut(self._values), view.shown.cut(self._parts), restore(prediction, view)
        if self._averages:
            values += part
        else:
            np.copyto(values, np.where(parts > 0, np.maximum(values, part), part))
        parts += 1

    def finish(self) -> Array:
        """Returns the whole."""
        if self._averages:
            self._values /= np.maximum(self._parts, 1)
        self._values[..., self._parts == 0] = self._fill
        return self._values
