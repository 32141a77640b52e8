"""Checks the structure and content of a shard's file: whether it is what `hdf5_file` writes."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, BinaryIO, NamedTuple

import h5py
import numpy as np
from numpy.typing import NDArray

from maskmill.inflate import deflated_chunk_shape, inflate
from maskmill.names import (
    AREAS,
    ARRAYS,
    IMAGE,
    IMAGE_HASHES,
    LABEL,
    MANIFEST,
    N_EXAMPLES,
    PIXEL_SUMS,
    ROWS_OF,
    SHOWN,
    VALID,
    group_name,
    row_name,
)
from maskmill.shard_index import DAMAGE
from maskmill.stored_array import StoredArray
from maskmill.transforms.examples.crops import is_view_of_crop
from maskmill.transforms.examples.label import LabelFormat, rows_per_chunk
from maskmill.transforms.examples.measure import count_areas, measure_image
from maskmill.transforms.examples.spec import ExampleFormat
from maskmill.views import VIEW_ATTRIBUTES, Box, Views, recorded_views

# Damage makes h5py raise this one, too, for sizes that no array has.
_DAMAGE = (*DAMAGE, OverflowError)
_SHOWN_NAMES = 3
_ARRAYS = {IMAGE, LABEL}


class ArrayForm(NamedTuple):
    """Type and shape of an array."""

    dtype: np.dtype[np.generic]
    shape: tuple[int, ...]

    def __str__(self) -> str:
        return f"{self.dtype} {list(self.shape)}"


class Sums(NamedTuple):
    """What is recorded of an example, or of all examples of a shard.

    Attributes:
        areas, pixel_sums: see `measure.Measures`.
        valid_pixels: number of pixels that are not padding; empty where views are not recorded.
    """

    areas: list[int]
    pixel_sums: list[int]
    valid_pixels: Sequence[int] = []


def arrays_of(form: ExampleFormat) -> dict[str, ArrayForm]:
    """Returns the arrays of an example by name."""
    image = ArrayForm(np.dtype("u1"), form.image_shape)
    return {IMAGE: image, **({LABEL: ArrayForm(form.label.dtype, form.label.shape)} if form.labelled else {})}


def first_arrays(file: str | BinaryIO, examples: int) -> dict[str, ArrayForm] | None:
    """Returns the arrays of the first example that can be read and is complete; None if there is none.

    Args:
        file: path of a local HDF5 file, or the open file.
        examples: expected number of examples.
    """
    try:
        with _open(file) as shard:
            for name in map(group_name, range(examples)):
                with contextlib.suppress(*_DAMAGE):
                    arrays = _arrays(shard[name])
                    if arrays.keys() == _ARRAYS:
                        return arrays
    except _DAMAGE:
        pass
    return None


def check_shard(
    file: str | BinaryIO,
    examples: int,
    arrays: Mapping[str, ArrayForm] | None,
    form: ExampleFormat | None = None,
    totals: Sums | None = None,
) -> list[str]:
    """Checks every example of a shard.

    Args:
        file: path of a local HDF5 file, or the open file. A damaged one may crash the HDF5 library and the process.
        examples: expected number of examples.
        arrays: expected arrays of each example; None expects an image and a label of any form.
        form: form of the examples, to read and check every image and label; None reads none of them.
        totals: what the manifest says of all examples, to check what the shard records of each; None if its format
            records nothing. Needs `form`.

    Returns:
        a message for each problem.
    """
    try:
        with _open(file) as shard:
            problems = [*_check_count(shard, examples), *_check_names(set(shard), _names_in(form, examples))]
            recorded: list[Sums] | list[None] = [None] * examples
            views: Views | None = None
            if form is not None and totals is not None and examples:
                wrong = list(_check_attributes(shard, examples, form))
                if not wrong:
                    views = recorded_views(shard.attrs, examples) if form.records_views else None
                    wrong = [*_check_views(views, form), *_check_crops(views, form)]
                if not wrong:
                    recorded = _recorded(shard, views)
                    wrong = list(_check_totals(recorded, totals))
                problems += wrong
            boxes = [views.of(index).valid if views and sums else None for index, sums in enumerate(recorded)]
            if form is not None and form.layout == ARRAYS:
                return [*problems, *_check_rows(shard, form, recorded, boxes)]
            for index, (sums, valid) in enumerate(zip(recorded, boxes, strict=True)):
                if (name := group_name(index)) in shard:
                    problems += _check_example(shard, name, arrays, form, sums, valid)
            return problems
    except _DAMAGE as error:
        return [f"cannot be read as HDF5: {error}"]


def _open(file: str | BinaryIO) -> h5py.File:
    # No lock: it fails on file systems without locks, and a published file does not change.
    return h5py.File(file, "r", locking=False)


def _check_count(shard: h5py.File, examples: int) -> Iterator[str]:
    if N_EXAMPLES not in shard.attrs:
        yield f"has no attribute {N_EXAMPLES}"
        return
    count = shard.attrs[N_EXAMPLES]
    if not isinstance(count, np.integer) or count != examples:
        yield f"its attribute {N_EXAMPLES} is {count} instead of {examples}"


def _check_attributes(shard: h5py.File, examples: int, form: ExampleFormat) -> Iterator[str]:
    forms = {
        AREAS: ArrayForm(np.dtype("<i4"), (examples, form.num_areas)),
        PIXEL_SUMS: ArrayForm(np.dtype("<u8"), (examples, 2 * form.channels)),
        IMAGE_HASHES: ArrayForm(np.dtype("<u8"), (examples,)),
    }
    if form.records_views:
        forms |= {name: ArrayForm(np.dtype("<i4"), (examples, size)) for name, size in VIEW_ATTRIBUTES.items()}
    for name, expected in forms.items():
        if name not in shard.attrs:
            yield f"has no attribute {name}"
        elif (found := ArrayForm(*_form_of(shard.attrs[name]))) != expected:
            yield f"its attribute {name} is {found} instead of {expected}"


def _form_of(value: Any) -> tuple[np.dtype[np.generic], tuple[int, ...]]:
    array = np.asarray(value)
    return array.dtype, array.shape


def _recorded(shard: h5py.File, views: Views | None) -> list[Sums]:
    areas, pixel_sums = shard.attrs[AREAS].tolist(), shard.attrs[PIXEL_SUMS].tolist()
    valid_pixels = [[]] * len(areas) if views is None else views.valid_pixels[:, np.newaxis].tolist()
    return list(map(Sums, areas, pixel_sums, valid_pixels))


def _check_totals(recorded: Sequence[Sums], totals: Sums) -> Iterator[str]:
    for name, rows, total in zip(Sums._fields, zip(*recorded, strict=True), totals, strict=True):
        found = [sum(column) for column in zip(*rows, strict=True)]
        if found != total:
            yield f"its {name} add up to {found}, and {MANIFEST} says {total}"


def _check_views(views: Views | None, form: ExampleFormat) -> Iterator[str]:
    """Checks that the boxes of each example lie in its image file, and in the example."""
    if views is None:
        return
    examples = len(views.valid)
    sizes = {SHOWN: (views.shown, views.image_sizes), VALID: (views.valid, np.tile(form.size, (examples, 1)))}
    for name, (boxes, within) in sizes.items():
        outside = (boxes[:, :2] < 0) | (boxes[:, 2:] < 1) | (boxes[:, :2] + boxes[:, 2:] > within)
        if outside.any():
            first = int(outside.any(axis=1).argmax())
            example = row_name(first) if form.layout == ARRAYS else group_name(first)
            yield f"{example}: its box {name}, {boxes[first].tolist()}, is not in {within[first].tolist()}"


def _check_crops(views: Views | None, form: ExampleFormat) -> Iterator[str]:
    """Checks that each example shows one of the crops that images are cut into; one message for all that do not."""
    if views is None or form.crops is None:
        return
    for index in range(len(views.shown)):
        if not is_view_of_crop(views.of(index), form.crops, form.resized):
            example = row_name(index) if form.layout == ARRAYS else group_name(index)
            yield f"{example}: shows {views.shown[index].tolist()}, which is not one of maskmill.crops"
            return


def _names_in(form: ExampleFormat | None, examples: int) -> list[str]:
    """Returns the names of the groups or arrays in a shard; without a form, it has the layout of the original."""
    if form is not None and form.layout == ARRAYS:
        return [ROWS_OF[name] for name in arrays_of(form)]
    return [group_name(index) for index in range(examples)]


def _check_names(names: set[str], expected: Sequence[str]) -> Iterator[str]:
    if missing := [name for name in expected if name not in names]:
        yield f"lacks {_enumerate(missing)}"
    if extra := sorted(names.difference(expected)):
        yield f"has {_enumerate(extra)}, which does not belong there"


def _enumerate(names: list[str]) -> str:
    more = len(names) - _SHOWN_NAMES
    return ", ".join(names[:_SHOWN_NAMES]) + (f" and {more} more" if more > 0 else "")


def _check_example(
    shard: h5py.File,
    name: str,
    arrays: Mapping[str, ArrayForm] | None,
    form: ExampleFormat | None,
    recorded: Sums | None,
    valid: Box | None,
) -> Iterator[str]:
    try:
        found = _arrays(shard[name])
        wrong = list(_compare(found, arrays))
        if not wrong and form is not None:
            example = {array: StoredArray(shard[name][array], ()) for array in found}
            wrong = _check_content(example, form, recorded, valid)
    except _DAMAGE as error:
        wrong = [f": cannot be read: {error}"]
    yield from (name + problem for problem in wrong)


def _check_rows(
    shard: h5py.File, form: ExampleFormat, recorded: Sequence[Sums | None], boxes: Sequence[Box | None]
) -> Iterator[str]:
    """Checks the examples of a shard with the layout `arrays`; its names were checked."""
    wrong = list(_check_row_forms(shard, form, len(recorded)))
    yield from wrong
    if wrong or not all(rows in shard for rows in _names_in(form, len(recorded))):
        return
    stored = {name: shard[ROWS_OF[name]] for name in arrays_of(form)}
    for index, (sums, valid) in enumerate(zip(recorded, boxes, strict=True)):
        example = {name: StoredArray(rows, (index,)) for name, rows in stored.items()}
        try:
            problems = _check_content(example, form, sums, valid)
        except _DAMAGE as error:
            problems = [f": cannot be read: {error}"]
        yield from (row_name(index) + problem for problem in problems)


def _check_row_forms(shard: h5py.File, form: ExampleFormat, examples: int) -> Iterator[str]:
    for name, (dtype, shape) in arrays_of(form).items():
        rows, expected = ROWS_OF[name], ArrayForm(dtype, (examples, *shape))
        if rows not in shard:
            continue
        try:
            if (found := _array(rows, shard[rows])) != expected:
                yield f"{rows}: is {found} instead of {expected}"
        except _DAMAGE as error:
            yield f"{rows}: cannot be read: {error}"


def _arrays(group: Any) -> dict[str, ArrayForm]:
    if not isinstance(group, h5py.Group):
        raise TypeError("it is not a group")
    # Not group.items(), which holds the lock of h5py between names: an error in the middle would block other threads.
    return {name: _array(name, group[name]) for name in list(group)}


def _array(name: str, found: Any) -> ArrayForm:
    if not isinstance(found, h5py.Dataset):
        raise TypeError(f"{name} is not an array")
    return ArrayForm(found.dtype, found.shape)


def _compare(found: Mapping[str, ArrayForm], arrays: Mapping[str, ArrayForm] | None) -> Iterator[str]:
    expected = _ARRAYS if arrays is None else arrays.keys()
    if found.keys() != expected:
        yield f": holds {', '.join(sorted(found)) or 'nothing'} instead of {', '.join(sorted(expected))}"
    elif arrays is not None:
        for key, form in arrays.items():
            if found[key] != form:
                yield f"/{key}: is {found[key]} instead of {form}"


def _check_content(
    example: Mapping[str, StoredArray], form: ExampleFormat, recorded: Sums | None, valid: Box | None
) -> list[str]:
    label = form.label
    # Padding adds nothing, or else it is not 0.
    measured = None if form.resize == "pad" else valid
    # Any image is right, as long as it can be read.
    found = Sums([0] * form.num_areas, _sum_pixels(example[IMAGE], measured), recorded.valid_pixels if recorded else [])
    wrong = []
    for part in _slabs(example[LABEL]) if form.labelled else ():
        if problem := _label_problem(part, label):
            wrong.append(problem)
        found.areas[:] = (found.areas + count_areas(part, label)).tolist()
    # One message per example, not one per slab.
    if wrong:
        return [f"/label: {wrong[0]}"]
    differing = () if recorded is None else zip(Sums._fields, found, recorded, strict=True)
    return [f": has the {name} {one}, and the attribute says {other}" for name, one, other in differing if one != other]


def _sum_pixels(image: StoredArray, box: Box | None) -> list[int]:
    """Computes `pixel_sums` of an image, or of a box of it."""
    channels, height, width = image.shape
    box = box or Box(0, 0, height, width)
    sums, top = [0] * (2 * channels), 0
    for slab in _slabs(image):
        first, stop = (max(row - top, 0) for row in (box.top, box.top + box.height))
        part = np.ascontiguousarray(slab[:, first:stop, box.left : box.left + box.width])
        top += slab.shape[1]
        if part.size:
            sums = [one + other for one, other in zip(sums, measure_image(part)[0], strict=True)]
    return sums


def _slabs(array: StoredArray) -> Iterator[NDArray[np.generic]]:
    """Yields an array in slabs of whole rows, those of a chunk: each chunk is read once, and memory is bounded."""
    *channels, height, width = array.shape
    rows = rows_per_chunk(array.dtype, height, width)
    # One chunk for each channel, or one for all.
    written = [(*(1 for _ in array.row), *depth, rows, width) for depth in ([1 for _ in channels], channels)]
    as_written = deflated_chunk_shape(array.dataset.id) in written
    for top in range(0, height, rows):
        if as_written:
            yield _inflate(array, top)[..., : height - top, :]
        else:
            yield array.dataset[(*array.row, ..., slice(top, top + rows), slice(None))]


def _inflate(array: StoredArray, top: int) -> NDArray[np.generic]:
    """Inflates the chunks of all channels that begin at a row.

    Not with HDF5, which inflates while it holds its lock and the interpreter's, so that threads wait for each other.
    """
    dataset, chunk_shape = array.dataset, array.dataset.chunks[len(array.row) :]
    channels = np.ndindex(*(n // step for n, step in zip(array.shape[:-2], chunk_shape[:-2], strict=True)))
    size = math.prod(chunk_shape) * array.dtype.itemsize
    chunks = [dataset.id.read_direct_chunk((*array.row, *channel, top, 0))[1] for channel in channels]
    parts = [np.frombuffer(inflate(chunk, size), array.dtype).reshape(chunk_shape) for chunk in chunks]
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _label_problem(part: NDArray[np.generic], form: LabelFormat) -> str | None:
    highest = len(form.numbers) - 1
    known = (part == 0) | (part == 1)
    for number in range(2, highest + 1):
        known |= part == number
    if not known.all():
        values = "0 and 1" if highest == 1 else f"0 to {highest}"
        return f"holds values other than {values}"
    if form.loss != "multilabel_bce":
        return None
    ones = part[1:].sum(axis=0, dtype=np.uint16)
    if not ((part[0] == 1) == (ones == 0)).all():
        return "is not one-hot: a pixel is 1 in no channel, or in the background's and another"
    if (len(form.classes) == 1 and ones.max() > 1) or part[len(form.classes) + 1 :].any():
        return "is not one-hot: a pixel is 1 in a channel without a class, or in several"
    return None
