"""Writes predictions as the CSV that a competition wants: run-length encoded masks at the size of the image files."""

from __future__ import annotations

import contextlib
import csv
import io
import os
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskmill.dataset import Dataset
from maskmill.errors import DatasetError
from maskmill.runs import format_runs, mask_to_runs
from maskmill.stitching import stitch

_IMAGE, _CLASS, _MASK = "ImageId", "ClassId", "EncodedPixels"
# How the name of several classes begins that labels unite.
_UNITED = "any of "


def submission(
    dataset: Dataset,
    predictions: Iterable[Any],
    path: str | os.PathLike[str] | None = None,
    *,
    threshold: float = 0.5,
    class_names: Sequence[str] | None = None,
    joined: bool = False,
    image_suffix: str = "",
) -> str | None:
    """Writes the CSV of predictions, at the original size of each image.

    What the examples of an image show is put together by `stitch`; the rest of the image has no class. Scores are
    scaled bilinearly, averaged where crops overlap, and then compared with the threshold; masks of integers or booleans
    are scaled to the nearest pixel and united. One image is in memory at a time. Images that were rejected when the
    dataset was made have no row.

    Args:
        dataset: split, or part of one, whose shards record views: made with `csv: null`, `crops`, `resize`,
            or `views: true`.
        predictions: one for each example, in index order: arrays [classes, H, W] of the size of the examples, or
            batches of them, [n, classes, H, W]; of NumPy, or whatever `np.asarray` takes, as tensors on the CPU.
        path: local file to write; None returns the text.
        threshold: a pixel with a score above it is of the class; 0 if scores are logits.
        class_names: names of the classes, in the order of the predictions' channels; None takes those of the dataset.
        joined: writes the columns ImageId_ClassId and EncodedPixels, and a row for every image and class, with an empty
            field where there is no pixel. Otherwise the columns are ImageId, ClassId and EncodedPixels, and only masks
            with pixels have rows.
        image_suffix: removed from the ends of the images' names; see `maskmill.image_suffix`.

    Returns:
        the text, if there is no path.

    Raises:
        DatasetError: the dataset does not record views or names of images, or a shard is damaged.
        ValueError: there are more or fewer predictions than examples, or a prediction has another shape or is NaN; or
            the examples of an image are not neighbours.
    """
    names = _check_classes(dataset, class_names)
    _check_views(dataset)
    checked = _check_each(predictions, dataset, len(names))
    # What no example shows is of no class, whatever the threshold.
    whole = stitch(dataset, checked, batched=False, fill=min(threshold, 0))
    with _writer_to(path) as (writer, text):
        writer.writerow((f"{_IMAGE}_{_CLASS}", _MASK) if joined else (_IMAGE, _CLASS, _MASK))
        for stitched in whole:
            image_id = stitched.image_id.removesuffix(image_suffix)
            for name, plane in zip(names, stitched.prediction, strict=True):
                mask = format_runs(mask_to_runs(plane > threshold))
                if joined:
                    writer.writerow((f"{image_id}_{name}", mask))
                elif mask:
                    writer.writerow((image_id, name, mask))
        return text.getvalue() if text else None


@contextlib.contextmanager
def _writer_to(path: str | os.PathLike[str] | None) -> Iterator[tuple[Any, io.StringIO | None]]:
    """Opens a CSV: a text in memory without a path; otherwise a file that has its name once it is whole."""
    if path is None:
        text = io.StringIO()
        yield csv.writer(text, lineterminator="\n"), text
        return
    attempt = f"{os.fspath(path)}.part"
    try:
        with open(attempt, "w", encoding="utf-8", newline="") as file:
            yield csv.writer(file, lineterminator="\n"), None
        os.replace(attempt, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.remove(attempt)
        raise


def _check_classes(dataset: Dataset, given: Sequence[str] | None) -> Sequence[str]:
    names = dataset.class_names if given is None else [given] if isinstance(given, str) else given
    if not names or (given is None and names[0].startswith(_UNITED)):
        problem = f"its labels unite several classes ({names[0]})" if names else "it does not name its classes"
        raise ValueError(f"{dataset.path}: {problem}: give class_names, one for each channel of a prediction")
    return names


def _check_views(dataset: Dataset) -> None:
    if len(dataset) and dataset.views is None:
        raise DatasetError(
            f"{dataset.path}: {dataset.split} does not record the sizes of its images; set maskmill.views: true in the "
            "parameter file, and make it again"
        )


def _check_each(predictions: Iterable[Any], dataset: Dataset, classes: int) -> Iterator[NDArray[Any]]:
    """Yields the predictions one by one, as many as there are examples."""
    image_ids = dataset.image_ids
    expected = (classes, *dataset.image_shape[-2:]) if image_ids else ()
    number = 0
    for number, prediction in enumerate(_singles(predictions), start=1):
        if number > len(image_ids):
            raise ValueError(f"there are more predictions than the {len(image_ids):,} examples; give one for each")
        what = f"{image_ids[number - 1]}: prediction {number - 1}"
        if prediction.shape != expected:
            background = prediction.shape == (classes + 1, *expected[1:])
            mend = "leave the channel of the background out" if background else "give one of the example's size"
            found = f"{list(prediction.shape)} instead of {list(expected)} (classes, height, width)"
            raise ValueError(f"{what} is of shape {found}; {mend}")
        if prediction.dtype.kind == "f" and np.isnan(prediction).any():
            raise ValueError(f"{what} holds NaN; correct the model, or its input")
        yield prediction
    if number < len(image_ids):
        raise ValueError(f"there are {number:,} predictions for {len(image_ids):,} examples; give one for each")


def _singles(predictions: Iterable[Any]) -> Iterator[NDArray[Any]]:
    """Takes batches apart."""
    for prediction in predictions:
        array = np.asarray(prediction)
        if array.ndim == 4:
            yield from array
        elif array.ndim == 3:
            yield array
        else:
            raise ValueError(
                f"a prediction is of shape {list(array.shape)}; give [classes, H, W] for each example, or batches "
                "[n, classes, H, W]"
            )
