"""Reads the files beside the shards of a dataset, as far as a report needs them."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from maskmill import DatasetError
from maskmill.catalog import find_splits
from maskmill.folder import Folder, folder_of
from maskmill.history import read_lines
from maskmill.names import DATA_PARAMS, HISTORY, MANIFEST, REJECTED
from maskmill.pipeline.job.label_format import chosen_classes, names_of_classes
from maskmill.pipeline.report.class_counts import ClassCounts, class_title, counts_of_entry


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
        counts: number of examples by class, by split; empty in a dataset of create_hdf5_files.py.
        rejected: records of rejected.jsonl.
        history: records of history.jsonl, without damaged lines.
    """

    directory: str
    params: Mapping[str, Any]
    manifest: Mapping[str, Any] | None
    examples: Mapping[str, int]
    shard_bytes: Mapping[str, Sequence[int]]
    classes: Mapping[str, Sequence[str]]
    counts: Mapping[str, ClassCounts]
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
        params = json.loads(folder.read(DATA_PARAMS))
        manifest = json.loads(folder.read(MANIFEST)) if MANIFEST in folder.list("") else None
        return DatasetSource(
            directory,
            params,
            manifest,
            {split: sum(shard.examples for shard in found) for split, found in shards.items()},
            {split: [sizes[split].get(_name(shard.path)) or 0 for shard in found] for split, found in shards.items()},
            {
                split: _classes(params, split, manifest["splits"][split]["classes"] if manifest else None)
                for split in shards
            },
            {split: counts_of_entry(manifest["splits"][split]) for split in shards} if manifest else {},
            [json.loads(line) for line in _read_if_there(folder, REJECTED).splitlines()],
            [line.entry for line in read_lines(_read_if_there(folder, HISTORY)) if line.entry is not None],
        )
    except (ValueError, KeyError, TypeError, AttributeError, FileNotFoundError) as error:
        problem = f"a file beside its shards is damaged ({error!r})"
        raise DatasetError(f"{directory}: {problem}; copy the dataset again, or make it again") from error


def _name(path: str) -> str:
    return path.rpartition("/")[2]


def _classes(params: Mapping[str, Any], split: str, written: Iterable[str] | None) -> list[str]:
    names = names_of_classes(params)
    chosen = [names[number - 1] for number in chosen_classes(params, split, written)]
    united = params["model"]["loss"] == "bce" and len(chosen) > 1
    return [f"any of {', '.join(chosen)}"] if united else [class_title(name) for name in chosen]


def _read_if_there(folder: Folder, name: str) -> bytes:
    """Returns the content of a file; b"" if there is no such file."""
    try:
        return folder.read(name)
    except FileNotFoundError:
        return b""
