"""Reads the files beside the shards of a dataset, as far as a report needs them."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from maskmill.catalog import find_splits
from maskmill.folder import Folder, folder_of
from maskmill.history import read_lines
from maskmill.names import HISTORY, REJECTED
from maskmill.pipeline.job.label_format import chosen_classes, names_of_classes
from maskmill.pipeline.report.class_counts import ClassCounts, counts_of_entry
from maskmill.pipeline.report.label_classes import DAMAGES, damaged, read_params, title_classes


@dataclasses.dataclass(frozen=True)
class DatasetSource:
    """The metadata of a dataset.

    Attributes:
        directory: as given.
        params: content of data_params.json.
        manifest: content of manifest.json; None in a dataset of create_hdf5_files.py.
        examples: number of examples by split.
        shard_bytes: sizes of the shards by split.
        classes: names of the classes that a split's labels distinguish; one name if they unite several classes.
        numbers: number of each class by its name in `classes`, from 1; of united classes, the first.
        counts: number of examples by class, by split; empty in a dataset of create_hdf5_files.py.
        labelled: whether examples have labels.
        rejected: records of rejected.jsonl.
        history: records of history.jsonl, without damaged lines.
    """

    directory: str
    params: Mapping[str, Any]
    manifest: Mapping[str, Any] | None
    examples: Mapping[str, int]
    shard_bytes: Mapping[str, Sequence[int]]
    classes: Mapping[str, Sequence[str]]
    numbers: Mapping[str, int]
    counts: Mapping[str, ClassCounts]
    labelled: bool
    rejected: Sequence[Mapping[str, Any]]
    history: Sequence[Mapping[str, Any]]


def read_source(directory: str) -> DatasetSource:
    """Reads the files beside the shards.

    Raises:
        DatasetError: there is no dataset, or its files are damaged.
        OSError: a file cannot be read.
    """
    folder = folder_of(directory)
    shards = find_splits(folder, directory)
    sizes = {split: folder.list(split) for split in shards}
    try:
        params, manifest = read_params(folder)
        written = {split: manifest["splits"][split]["classes"] if manifest else None for split in shards}
        labelled = all(shard.labelled for found in shards.values() for shard in found)
        classes = {split: _classes(params, split, written[split]) if labelled else {} for split in shards}
        return DatasetSource(
            directory,
            params,
            manifest,
            {split: sum(shard.examples for shard in found) for split, found in shards.items()},
            {split: [sizes[split].get(_name(shard.path)) or 0 for shard in found] for split, found in shards.items()},
            {split: list(numbers) for split, numbers in classes.items()},
            {name: number for numbers in classes.values() for name, number in numbers.items()},
            {split: counts_of_entry(manifest["splits"][split]) for split in shards} if manifest else {},
            labelled,
            [json.loads(line) for line in _read_if_there(folder, REJECTED).splitlines()],
            [line.entry for line in read_lines(_read_if_there(folder, HISTORY)) if line.entry is not None],
        )
    except DAMAGES as error:
        raise damaged(directory, error) from error


def _name(path: str) -> str:
    return path.rpartition("/")[2]


def _classes(params: Mapping[str, Any], split: str, written: Iterable[str] | None) -> dict[str, int]:
    names = names_of_classes(params)
    numbers = chosen_classes(params, split, written)
    return title_classes({names[number - 1]: number for number in numbers}, params)


def _read_if_there(folder: Folder, name: str) -> bytes:
    """Returns the content of a file; b"" if there is no such file."""
    try:
        return folder.read(name)
    except FileNotFoundError:
        return b""
