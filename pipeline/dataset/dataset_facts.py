"""Collects what is known of a dataset for a comparison: of one that is there, and of one that a run has made ready."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from maskmill.example_list import ListedExample, read_example_list
from maskmill.format_version import format_with
from maskmill.manifest import unseal
from maskmill.names import DATA_PARAMS, EXAMPLES, MANIFEST
from maskmill.pipeline.dataset.manifest import data_params_of, listed_examples, split_entries
from maskmill.pipeline.job.job import Job
from maskmill.transforms.aggregate_metadata import DatasetMetadata
from maskmill.transforms.files.paths import join
from maskmill.transforms.files.read_write import read_bytes


class DatasetFacts(NamedTuple):
    """What is known of a dataset without opening a shard.

    Attributes:
        format_version: of the dataset.
        checksum: whether changed images are detected by content.
        splits: their entries in manifest.json.
        parameters: content of data_params.json.
        examples: lines of examples.csv, which may be read once; None if the dataset was made before there was that
            file.
    """

    format_version: int
    checksum: bool
    splits: Mapping[str, Any]
    parameters: Mapping[str, Any]
    examples: Iterable[ListedExample] | None

    @property
    def num_examples(self) -> int:
        """Number of examples in all splits."""
        return sum(entry["examples"] for entry in self.splits.values())


def read_facts(root: str) -> DatasetFacts:
    """Reads the files beside the shards of a dataset.

    Args:
        root: folder of the dataset, absolute.

    Raises:
        ValueError, KeyError, TypeError: a file is damaged.
        OSError: a file is missing, or cannot be read.
    """
    manifest = unseal(read_bytes(join(root, MANIFEST)))
    return DatasetFacts(
        format_version=manifest["format_version"],
        checksum=manifest.get("checksum", False),
        splits=manifest["splits"],
        parameters=json.loads(read_bytes(join(root, DATA_PARAMS))),
        examples=_read_examples(root, manifest["files"][EXAMPLES]) if EXAMPLES in manifest["files"] else None,
    )


def _read_examples(root: str, entry: Mapping[str, Any]) -> Iterator[ListedExample]:
    text = read_bytes(join(root, EXAMPLES))
    if hashlib.sha256(text).hexdigest() != entry["sha256"]:
        raise ValueError(f"{EXAMPLES} was changed after it was written")
    return read_example_list(text)


def read_previous(folder: str) -> DatasetFacts | None:
    """Reads the dataset that a run compares its own with; a damaged one tells nothing.

    Args:
        folder: of the dataset, absolute; "" if there is none.

    Returns:
        None if there is none, or if it is damaged, or was taken away meanwhile.
    """
    try:
        return read_facts(folder) if folder else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def facts_of(job: Job, metadata: DatasetMetadata) -> DatasetFacts:
    """Collects what a dataset will be once it is published."""
    return DatasetFacts(
        format_version=format_with(job.form.layout),
        checksum=job.input.checksum,
        splits=split_entries(job, metadata),
        parameters=data_params_of(job, metadata),
        examples=listed_examples(job, metadata),
    )
