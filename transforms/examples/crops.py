"""Cuts images into crops: where they are, and which of them become examples. Decided by the runs, without a pixel."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterable, Set
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from maskmill.transforms.assignment.image_hash import hash_bound, hash_crop
from maskmill.transforms.examples.rle import EMPTY_RUNS, Runs, covered_intervals, unpack_runs
from maskmill.transforms.examples.view import round_half_up
from maskmill.views import Box, View

if TYPE_CHECKING:
    from maskmill.transforms.annotations.records import MaskRow
    from maskmill.transforms.examples.spec import ExampleFormat, ExampleSpec

SHIFT, DROP, PAD = EDGES = ("shift", "drop", "pad")


class CropFormat(NamedTuple):
    """How images are cut into crops.

    Attributes:
        size: (height, width) of a crop, in pixels of the image.
        stride: (down, across): pixels from a crop to the next; at most `size`.
        edge: what happens where crops do not end at the image's edge: the last one is moved back so that it does
            (shift), is left out (drop), or is continued with zeros (pad).
        empty: share of the crops without a defect that become examples, 0 to 1.
        source: (height, width) of the images, in pixels.
        salt: goes into the hash of each empty crop; "" if `empty` leaves nothing to choose.
    """

    size: tuple[int, int]
    stride: tuple[int, int]
    edge: str
    empty: float
    source: tuple[int, int]
    salt: str = ""


class Crop(NamedTuple):
    """A crop of an image.

    Attributes:
        top: its first row of pixels in the image.
        left: its first column.
        class_ids: classes with a pixel in it, before it is resized.
    """

    top: int
    left: int
    class_ids: frozenset[int]


class Part(NamedTuple):
    """What an example shows of its image.

    Attributes:
        crop: first row and column of pixels of a crop; None for the whole image.
        class_ids: classes with a pixel in it, before it is resized.
    """

    crop: tuple[int, int] | None
    class_ids: Set[int]


def starts(source: int, size: int, stride: int, edge: str) -> tuple[int, ...]:
    """Returns the first pixel of each crop along one side of an image, ascending.

    Args:
        source: length of the side.
        size: of a crop.
        stride: from a crop to the next.
        edge: see `CropFormat`.

    Raises:
        ValueError: no crop fits into the image.
    """
    if source < size and edge != PAD:
        raise ValueError(f"a crop of {size} pixels does not fit into an image of {source}")
    whole = tuple(range(0, max(source - size, 0) + 1, stride))
    if whole[-1] + size >= source or edge == DROP:
        return whole
    return (*whole, source - size if edge == SHIFT else whole[-1] + stride)


@functools.lru_cache(maxsize=16)
def crop_grid(crops: CropFormat) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Returns the first rows and the first columns of all crops of an image; raises as `starts`."""
    down, across = (starts(*one, crops.edge) for one in zip(crops.source, crops.size, crops.stride, strict=True))
    return down, across


@functools.lru_cache(maxsize=2**10)
def view_of_crop(crop: tuple[int, int], crops: CropFormat, resized: tuple[int, int]) -> View:
    """Returns what the example of a crop shows: what lies past the image's edge is not part of it.

    Args:
        crop: its first row and column of pixels in the image.
        crops: how images are cut.
        resized: (height, width) of the example, in pixels.
    """
    shown = [min(size, end - start) for size, end, start in zip(crops.size, crops.source, crop, strict=True)]
    valid = [round_half_up(n * out, size) for n, out, size in zip(shown, resized, crops.size, strict=True)]
    return View(crops.source, Box(*crop, *shown), Box(0, 0, *valid))


def is_view_of_crop(view: View, crops: CropFormat, resized: tuple[int, int]) -> bool:
    """Returns whether a view is that of one of the crops of an image; arguments as in `view_of_crop`."""
    top, left, *_ = view.shown
    down, across = crop_grid(crops)
    return top in down and left in across and view == view_of_crop((top, left), crops, resized)


def most_crops(crops: CropFormat | None) -> int:
    """Returns the number of crops of an image, empty ones too; 1 if images are not cut."""
    if crops is None:
        return 1
    down, across = crop_grid(crops)
    return len(down) * len(across)


def parts_of(spec: ExampleSpec, form: ExampleFormat) -> list[Part]:
    """Returns what each example that an image becomes shows of it: a crop, or the whole."""
    if form.crops is None:
        return [Part(None, spec.class_ids)]
    kept = kept_crops(spec, form.crops, by_rows=form.by_rows)
    return [Part((crop.top, crop.left), crop.class_ids) for crop in kept]


def kept_crops(spec: ExampleSpec, crops: CropFormat, *, by_rows: bool = False) -> list[Crop]:
    """Finds the crops of an image that become examples.

    Args:
        spec: of the image. What its runs mark past `crops.source` is in no crop.
        crops: how images are cut.
        by_rows: whether runs number pixels along the rows instead of down the columns.

    Returns:
        crops from the top to the bottom, and from left to right.
    """
    return [crop for crop in all_crops(spec.rows, crops, by_rows=by_rows) if is_kept(crop, spec.image_id, crops)]


def is_kept(crop: Crop, image_id: str, crops: CropFormat) -> bool:
    """Returns whether a crop becomes an example: it has a defect, or its hash chooses it."""
    if crop.class_ids or crops.empty >= 1:
        return True
    return crops.empty > 0 and hash_crop(image_id, crop.top, crop.left, crops.salt) < hash_bound(crops.empty)


def all_crops(rows: Iterable[MaskRow], crops: CropFormat, *, by_rows: bool = False) -> list[Crop]:
    """Returns all crops of an image, from the top to the bottom, and from left to right; see `kept_crops`."""
    corners = itertools.product(*crop_grid(crops))
    by_class: dict[int, list[Runs]] = {}
    for row in rows:
        if row.runs != EMPTY_RUNS:
            by_class.setdefault(row.class_id, []).append(unpack_runs(row.runs))
    found = {class_id: _crops_with(np.concatenate(runs), crops, by_rows) for class_id, runs in by_class.items()}
    return [
        Crop(top, left, frozenset(class_id for class_id, of_class in found.items() if of_class[index]))
        for index, (top, left) in enumerate(corners)
    ]


def _crops_with(runs: Runs, crops: CropFormat, by_rows: bool) -> list[bool]:
    """Tells for each crop of the grid, line by line, whether a run has a pixel in it."""
    down, across = (np.array(one)[:, np.newaxis] for one in crop_grid(crops))
    height, width = crops.size
    line, first, end = _cut_at_lines(runs, crops.source[1] if by_rows else crops.source[0])
    if by_rows:
        in_rows, in_columns = (down <= line) & (line < down + height), (across < end) & (first < across + width)
    else:
        in_rows, in_columns = (down < end) & (first < down + height), (across <= line) & (line < across + width)
    # [rows of crops, pieces] and [columns of crops, pieces]: a piece of a run is in a crop if it is in both.
    found: list[bool] = (in_rows @ in_columns.T).ravel().tolist()
    return found


def _cut_at_lines(runs: Runs, length: int) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Cuts runs where a line of pixels ends: the line of each piece, its first pixel in the line, and its end there."""
    begin, end = covered_intervals(runs).T
    first_line, last_line = begin // length, (end - 1) // length
    pieces = np.where(end > begin, last_line - first_line + 1, 0)  # a run inside another has no pixel of its own
    of_run = np.repeat(np.arange(len(runs)), pieces)
    line = first_line[of_run] + np.arange(len(of_run)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    inside = np.maximum(begin[of_run], line * length), np.minimum(end[of_run], (line + 1) * length)
    return line, inside[0] - line * length, inside[1] - line * length
