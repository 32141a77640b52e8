"""Reads which classes the labels of a split distinguish, from the files beside the shards; `show` needs no more."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from maskmill import DatasetError
from maskmill.folder import Folder, folder_of
from maskmill.names import DATA_PARAMS, MANIFEST
from maskmill.pipeline.report.class_counts import class_title

# What reading a damaged file raises.
DAMAGES = (ValueError, KeyError, TypeError, AttributeError, FileNotFoundError)


def read_label_classes(directory: str, split: str) -> dict[str, int]:
    """Reads the classes that a split's labels distinguish.

    Returns:
        as `title_classes`; nothing for a dataset of create_hdf5_files.py with several classes, or none that it says.

    Raises:
        DatasetError: there is no dataset, or its files are damaged.
        OSError: a file cannot be read.
    """
    try:
        params, manifest = read_params(folder_of(directory))
        if manifest is None:
            class_id = params.get(split, {}).get("class_id")
            return {class_title(str(class_id)): class_id} if isinstance(class_id, int) else {}
        return title_classes(_numbers(params, list(manifest["splits"][split]["classes"])), params)
    except DAMAGES as error:
        raise damaged(directory, error) from error


def _numbers(params: Mapping[str, Any], names: Sequence[str]) -> dict[str, int]:
    """Returns the numbers of classes: their places in the list of all, or their names if there is no such list."""
    known = (params.get("maskmill") or {}).get("classes")
    every = [known] if isinstance(known, str) else list(map(str, known or []))
    return {name: every.index(name) + 1 if every else int(name) for name in names}


def title_classes(numbers: Mapping[str, int], params: Mapping[str, Any]) -> dict[str, int]:
    """Names the classes that labels distinguish as a report does.

    Args:
        numbers: number of each class of a split by its name, in the order of the labels.
        params: content of data_params.json.

    Returns:
        the number of each class by its title; if the labels unite several classes, one title, with the number of the
        first.
    """
    if params["model"]["loss"] == "bce" and len(numbers) > 1:
        return {f"any of {', '.join(numbers)}": next(iter(numbers.values()))}
    return {class_title(name): number for name, number in numbers.items()}


def read_params(folder: Folder) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """Returns the contents of data_params.json and of manifest.json, if there is one."""
    params = json.loads(folder.read(DATA_PARAMS))
    return params, json.loads(folder.read(MANIFEST)) if MANIFEST in folder.list("") else None


def damaged(directory: str, error: Exception) -> DatasetError:
    """Returns what to raise for a file that cannot be understood."""
    problem = f"a file beside its shards is damaged ({error!r})"
    return DatasetError(f"{directory}: {problem}; copy the dataset again, or make it again")
