"""Joins splits of a dataset into one, such as all folds but the one that a model is evaluated with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import h5py

from maskmill.catalog import Shard, Split
from maskmill.errors import DatasetError
from maskmill.folder import Folder
from maskmill.measures import read_hdf5
from maskmill.names import IMAGE, LABEL
from maskmill.stored_array import stored_array


def join_splits(folder: Folder, path: str, splits: Mapping[str, Split]) -> Split:
    """Joins splits: their shards follow each other in the order of the splits.

    Args:
        folder: folder of the dataset.
        path: its path, for messages.
        splits: by name; one or more.

    Raises:
        DatasetError: the examples of two splits differ in their form, or the first shard of a split is damaged.
    """
    # A split without examples has no form, and its dataset does not say what classes its labels would have.
    filled = {name: shard for name, split in splits.items() for shard in _first_filled(split)}
    if len(filled) > 1:
        _check_forms(path, {name: _form(folder, shard, splits[name]) for name, shard in filled.items()})
    class_names = next((splits[name].class_names for name in filled), ())
    return Split([shard for split in splits.values() for shard in split.shards], class_names)


def _first_filled(split: Split) -> Iterator[Shard]:
    yield from [shard for shard in split.shards if shard.examples][:1]


def _form(folder: Folder, shard: Shard, split: Split) -> dict[str, str]:
    """Returns what images, labels and classes of a split are, in words."""
    return {**read_hdf5(folder, shard, _describe_arrays), "classes": ", ".join(split.class_names) or "unknown"}


def _describe_arrays(file: h5py.File, shard: Shard) -> dict[str, str]:
    names = (IMAGE, LABEL) if shard.labelled else (IMAGE,)
    arrays = {f"{name}s": stored_array(file, 0, name) for name in names}
    return {name: f"{array.dtype} {list(array.shape)}" for name, array in arrays.items()}


def _check_forms(path: str, forms: Mapping[str, Mapping[str, str]]) -> None:
    (first, expected), *others = forms.items()
    for name, form in others:
        for what, value in form.items():
            if value != expected[what]:
                raise DatasetError(
                    f"{path}: {first} and {name} cannot be read as one: the {what} of {first} are {expected[what]}, "
                    f"those of {name} {value}; open each by itself"
                )
