"""Reads single examples of a dataset, by shard and index, for a comparison."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from maskmill.catalog import find_split
from maskmill.example_list import ListedExample
from maskmill.folder import folder_of
from maskmill.names import IMAGE, LABEL
from maskmill.open_shards import OpenShards
from maskmill.pipeline.dataset.dataset_facts import DatasetFacts
from maskmill.pipeline.errors import UsageError


class Kind(NamedTuple):
    """What differs between two stored examples: the image, the mask."""

    image: bool
    mask: bool


class StoredExample(NamedTuple):
    """Image and label of an example, as they are stored; None for the label if it has none."""

    image: NDArray[Any]
    label: NDArray[Any] | None

    def differs_from(self, other: StoredExample) -> Kind | None:
        """Compares two examples; returns None if their arrays have different shapes or dtypes."""
        for mine, its in zip(self, other, strict=True):
            if mine is None and its is None:
                continue
            if mine is None or its is None or mine.shape != its.shape or mine.dtype != its.dtype:
                return None
        return Kind(not np.array_equal(self.image, other.image), not _equal(self.label, other.label))


def _equal(one: NDArray[Any] | None, other: NDArray[Any] | None) -> bool:
    return one is other or (one is not None and other is not None and np.array_equal(one, other))


class StoredExamples:
    """The examples of a dataset.

    Args:
        path: folder of the dataset, as given.
        facts: the files beside its shards.

    Raises:
        DatasetError: the dataset is not whole.
        OSError: it cannot be read.
    """

    def __init__(self, path: str, facts: DatasetFacts) -> None:
        self.facts = facts
        self._path = path
        self._open = OpenShards(functools.partial(folder_of, path))
        folder = folder_of(path)
        self._shards = {shard.path: shard for split in facts.splits for shard in find_split(folder, path, split).shards}
        entries = (shard for split in facts.splits.values() for shard in split["shards"])
        self._sha256 = {shard["file"]: shard["sha256"] for shard in entries}

    def sha256(self, shard: str) -> str:
        """Returns the checksum of a shard's file."""
        return str(self._sha256[shard])

    def listed(self) -> list[ListedExample]:
        """Returns all examples; without versions if the dataset was made before they were recorded.

        Raises:
            UsageError: the shards do not record the names of the images.
        """
        return list(self.facts.examples if self.facts.examples is not None else self._list_from_shards())

    def _list_from_shards(self) -> Iterator[ListedExample]:
        for shard in self._shards.values():
            image_ids = self._open.reader(shard).image_ids
            if len(image_ids) != shard.examples:
                raise UsageError(f"{self._path}: {shard.path} does not record the names of its images; make it again")
            for example, image_id in enumerate(image_ids):
                yield ListedExample(image_id, shard.path, example, "", "")

    def read(self, one: ListedExample) -> StoredExample:
        """Reads an example.

        Raises:
            DatasetError: the shard is damaged.
            OSError: it cannot be read.
        """
        shard = self._shards[one.shard]
        image, label = self._read(one, IMAGE), self._read(one, LABEL) if shard.labelled else None
        return StoredExample(image, label)

    def _read(self, one: ListedExample, name: str) -> NDArray[Any]:
        reader = self._open.reader(self._shards[one.shard])
        dtype, shape = reader.form(name)
        array = np.empty(shape, dtype)
        reader.read_into(array, one.example, name)
        return array
