"""One shard's file, looked into: whether it is what `hdf5_file` writes."""

from __future__ import annotations

import contextlib
import zlib
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO, NamedTuple

import h5py
import numpy as np
from h5py import h5d, h5z
from numpy.typing import NDArray

from maskmill.names import IMAGE, LABEL, N_EXAMPLES, group_name
from maskmill.transforms.examples.label import MAX_CHUNK_BYTES, LabelFormat

# What h5py and zlib raise for a file that is no HDF5, or a damaged one.
_DAMAGE = (OSError, KeyError, RuntimeError, ValueError, TypeError, OverflowError, zlib.error)
_SHOWN_NAMES = 3
_ARRAYS = {IMAGE, LABEL}


class ArrayForm(NamedTuple):
    """Type and shape of an array."""

    dtype: np.dtype[np.generic]
    shape: tuple[int, ...]

    def __str__(self) -> str:
        return f"{self.dtype} {list(self.shape)}"


def arrays_of(form: LabelFormat) -> dict[str, ArrayForm]:
    """What an example holds, by name."""
    image = ArrayForm(np.dtype("u1"), (1, form.height, form.width))
    return {IMAGE: image, LABEL: ArrayForm(form.dtype, form.shape)}


def first_arrays(file: str | BinaryIO, examples: int) -> dict[str, ArrayForm] | None:
    """What the first example of a shard that can be looked into holds; None where there is none.

    Args:
        file: HDF5, local: its path, or the open file.
        examples: that are to be in it.
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
    file: str | BinaryIO, examples: int, arrays: Mapping[str, ArrayForm] | None, form: LabelFormat | None = None
) -> list[str]:
    """Looks at every example of a shard.

    Args:
        file: HDF5, local: its path, or the open file. One that is damaged may crash the HDF5 library, and the process.
        examples: that are to be in it.
        arrays: that each example is to hold; None is an image and a label of any form.
        form: of the labels, for which every image and label is read; None reads none of them.

    Returns:
        what is wrong, one message each.
    """
    try:
        with _open(file) as shard:
            problems = [*_check_count(shard, examples), *_check_names(set(shard), examples)]
            for name in filter(shard.__contains__, map(group_name, range(examples))):
                problems += _check_example(shard, name, arrays, form)
            return problems
    except _DAMAGE as error:
        return [f"cannot be read as HDF5: {error}"]


def _open(file: str | BinaryIO) -> h5py.File:
    # No lock: file systems that have none would make it fail, and a published file does not change.
    return h5py.File(file, "r", locking=False)


def _check_count(shard: h5py.File, examples: int) -> Iterator[str]:
    if N_EXAMPLES not in shard.attrs:
        yield f"has no attribute {N_EXAMPLES}"
        return
    count = shard.attrs[N_EXAMPLES]
    if not isinstance(count, np.integer) or count != examples:
        yield f"its attribute {N_EXAMPLES} is {count} instead of {examples}"


def _check_names(names: set[str], examples: int) -> Iterator[str]:
    expected = [group_name(index) for index in range(examples)]
    if missing := [name for name in expected if name not in names]:
        yield f"without {_enumerate(missing)}"
    if extra := sorted(names.difference(expected)):
        yield f"with {_enumerate(extra)}, which does not belong there"


def _enumerate(names: list[str]) -> str:
    more = len(names) - _SHOWN_NAMES
    return ", ".join(names[:_SHOWN_NAMES]) + (f" and {more} more" if more > 0 else "")


def _check_example(
    shard: h5py.File, name: str, arrays: Mapping[str, ArrayForm] | None, form: LabelFormat | None
) -> Iterator[str]:
    try:
        found = _arrays(shard[name])
        wrong = list(_compare(found, arrays)) or (_check_content(shard[name], form) if form else [])
    except _DAMAGE as error:
        wrong = [f": cannot be read: {error}"]
    yield from (name + problem for problem in wrong)


def _arrays(group: Any) -> dict[str, ArrayForm]:
    if not isinstance(group, h5py.Group):
        raise TypeError("it is not a group")
    # Not group.items(), which holds the lock of h5py from one name to the next: whoever is left in the middle, by an
    # error, leaves the others waiting.
    return {name: _array(name, group[name]) for name in list(group)}


def _array(name: str, found: Any) -> ArrayForm:
    if not isinstance(found, h5py.Dataset):
        raise TypeError(f"{name} is not an array")
    return ArrayForm(found.dtype, found.shape)


def _compare(found: Mapping[str, ArrayForm], arrays: Mapping[str, ArrayForm] | None) -> Iterator[str]:
    if found.keys() != _ARRAYS:
        yield f": holds {', '.join(sorted(found)) or 'nothing'} instead of {', '.join(sorted(_ARRAYS))}"
    elif arrays is not None:
        for key, form in arrays.items():
            if found[key] != form:
                yield f"/{key}: is {found[key]} instead of {form}"


def _check_content(group: h5py.Group, form: LabelFormat) -> list[str]:
    for _ in _slabs(group[IMAGE]):
        pass  # any grey is allowed; what counts is that it can be read
    wrong = [problem for part in _slabs(group[LABEL]) if (problem := _label_problem(part, form))]
    # One message for an example, not one for each of its parts.
    return [f"/label: {problem}" for problem in wrong[:1]]


def _slabs(array: h5py.Dataset) -> Iterator[NDArray[np.generic]]:
    """An array in parts of whole rows: those of a chunk, so that each is read once and memory is bounded."""
    *channels, height, width = array.shape
    rows = max(1, min(height, MAX_CHUNK_BYTES // (array.dtype.itemsize * width)))
    inflate = _is_deflated(array, (*(1 for _ in channels), rows, width))
    for top in range(0, height, rows):
        yield _inflate(array, top)[..., : height - top, :] if inflate else array[..., top : top + rows, :]


def _is_deflated(array: h5py.Dataset, chunk_shape: tuple[int, ...]) -> bool:
    """Whether an array's chunks are of that shape and deflated, as `hdf5_file` writes them, and nothing else."""
    properties = array.id.get_create_plist()
    if properties.get_layout() != h5d.CHUNKED or properties.get_chunk() != chunk_shape:
        return False
    return bool(properties.get_nfilters() == 1 and properties.get_filter(0)[0] == h5z.FILTER_DEFLATE)


def _inflate(array: h5py.Dataset, top: int) -> NDArray[np.generic]:
    """The chunks of all channels that begin at a row.

    Not by HDF5, whose lock, and the interpreter's, it would hold while it inflates: threads would wait for each other.
    """
    offsets = [(*channel, top, 0) for channel in np.ndindex(array.shape[:-2])]
    chunks = [zlib.decompress(array.id.read_direct_chunk(offset)[1]) for offset in offsets]
    parts = [np.frombuffer(chunk, array.dtype).reshape(array.chunks) for chunk in chunks]
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
        return "is not one-hot: a pixel is 1 in no channel, or in that of the background and another"
    if (len(form.classes) == 1 and ones.max() > 1) or part[len(form.classes) + 1 :].any():
        return "is not one-hot: a pixel is 1 in a channel that stands for no class, or in several"
    return None
