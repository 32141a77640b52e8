"""Writes the files beside the shards: manifest.json, data_params.json, meta_<split>.dat, examples.csv and others."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from maskmill.example_list import ListedExample, write_example_list
from maskmill.format_version import format_with
from maskmill.manifest import seal
from maskmill.names import CROISSANT, DATA_PARAMS, EXAMPLES, GROUPS, REJECTED, meta_file, meta_line
from maskmill.pipeline.dataset.croissant import croissant
from maskmill.pipeline.dataset.split_statistics import distinguished_classes, split_statistics
from maskmill.pipeline.job.job import Job
from maskmill.transforms.aggregate_metadata import DatasetMetadata
from maskmill.transforms.shards.check_shard import arrays_of
from maskmill.transforms.shards.records import unpack_examples


def metadata_files(job: Job, metadata: DatasetMetadata) -> dict[str, bytes]:
    """Returns the content of each file beside the shards that the manifest lists, by name."""
    files = {
        **{meta_file(split): _meta_lines(job, metadata, split) for split in job.splits},
        DATA_PARAMS: _to_json(data_params_of(job, metadata)),
        EXAMPLES: write_example_list(listed_examples(job, metadata), of_crops=job.form.crops is not None),
        REJECTED: rejected_lines(metadata),
    }
    return {**files, CROISSANT: _to_json(_croissant(job, metadata, files), sort_keys=False)}


def listed_examples(job: Job, metadata: DatasetMetadata) -> Iterator[ListedExample]:
    """Yields the lines of examples.csv, in the order of splits and shards."""
    for split in job.splits:
        for shard in metadata.shards:
            if shard.split == split:
                yield from unpack_examples(shard)


def _meta_lines(job: Job, metadata: DatasetMetadata, split: str) -> bytes:
    folder = os.path.join(job.output.output_dir, split)
    lines = (
        meta_line(os.path.join(folder, shard.file_name), shard.stored.examples)
        for shard in metadata.shards
        if shard.split == split
    )
    return "".join(lines).encode()


def data_params_of(job: Job, metadata: DatasetMetadata) -> dict[str, Any]:
    """Returns the content of data_params.json."""
    content = dict(job.form.data_params)
    for split in job.splits:
        content[f"{split}_hdf"] = {
            "n_docs": metadata.sizes[split].examples,
            "total_written": sum(shard.stored.examples for shard in metadata.shards if shard.split == split),
            "dataset_range": _dataset_range(job, metadata, split),
        }
    return content


def _dataset_range(job: Job, metadata: DatasetMetadata, split: str) -> dict[str, list[int]]:
    """First and last position of each range, counted over the ranges in order; [] for an empty range."""
    positions = [0] * job.output.layout.num_processes
    for shard in metadata.shards:
        if shard.split == split:
            positions[shard.range] += shard.stored.positions
    stops = itertools.accumulate(positions)
    return {str(i): [stop - n, stop - 1] if n else [] for i, (n, stop) in enumerate(zip(positions, stops, strict=True))}


def rejected_lines(metadata: DatasetMetadata) -> bytes:
    """Writes a line with a JSON object for each rejected row or image."""
    return "".join(json.dumps(record._asdict(), ensure_ascii=False) + "\n" for record in metadata.rejected).encode()


def _croissant(job: Job, metadata: DatasetMetadata, files: Mapping[str, bytes]) -> dict[str, Any]:
    return croissant(
        split_entries(job, metadata),
        _file_entries(files),
        {split: arrays_of(job.form.examples[split]) for split in job.splits},
        name=job.output.layout.name,
        licence=(job.form.data_params.get("maskmill") or {}).get("licence"),
        layout=job.form.layout,
    )


def manifest(job: Job, metadata: DatasetMetadata, files: dict[str, bytes]) -> bytes:
    """Writes manifest.json: every file of the dataset, and what became of the rows.

    Nothing in it depends on the time or the host. Its last key is a checksum of everything before it.
    """
    content = {
        "format_version": format_with(job.form.layout),
        **({"layout": job.form.layout} if job.form.layout != GROUPS else {}),
        "input": job.input.fingerprint,
        "fingerprint": _sha256("".join(shard.stored.fingerprint for shard in metadata.shards).encode()),
        "checksum": job.input.checksum,
        "splits": split_entries(job, metadata),
        "files": _file_entries(files),
        "rows": metadata.rows.to_json(job.form.classes),
        "rejected": dict(sorted(Counter(record.code for record in metadata.rejected).items())),
        "shared_images": metadata.shared_images,
        "notes": dict(metadata.notes),
        **({"different_masks": [list(pair) for pair in metadata.pairs]} if metadata.pairs else {}),
    }
    return seal(content)


def _file_entries(files: Mapping[str, bytes]) -> dict[str, dict[str, Any]]:
    return {name: {"bytes": len(text), "sha256": _sha256(text)} for name, text in sorted(files.items())}


def split_entries(job: Job, metadata: DatasetMetadata) -> dict[str, Any]:
    """Returns what manifest.json says of each split and its shards."""
    return {split: _split_entry(job, metadata, split) for split in job.splits}


def _split_entry(job: Job, metadata: DatasetMetadata, split: str) -> dict[str, Any]:
    shards = [shard for shard in metadata.shards if shard.split == split]
    form = job.form.examples[split]
    classes = Counter[int]()
    for shard in shards:
        classes.update(shard.classes)
    overlaps = [sum(counts) for counts in zip(*(shard.stored.overlaps for shard in shards), strict=True)]
    names = [job.form.classes[class_id - 1] for class_id in form.label.classes]
    by_class = zip(names, form.label.classes, strict=True) if form.labelled else ()
    examples = sum(shard.stored.examples for shard in shards)
    images = {"images": sum(shard.stored.images or 0 for shard in shards)} if job.form.crops else {}
    return {
        "examples": examples,
        **images,
        "bytes": sum(shard.stored.bytes for shard in shards),
        "classes": {name: classes[class_id] for name, class_id in by_class},
        "negatives": classes[0] if form.labelled else 0,
        "overlaps": {"examples": overlaps[0], "pixels": overlaps[1], "rule": form.label.overlap_rule},
        "statistics": split_statistics([shard.stored for shard in shards], form, names),
        # What a model is to find, in the order of its channels.
        **({} if form.labelled else {"labels": False, "class_names": distinguished_classes(form.label, names)}),
        "shards": [{"file": shard.path, **shard.stored.to_json()} for shard in shards],
    }


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _to_json(content: object, *, sort_keys: bool = True) -> bytes:
    return (json.dumps(content, indent=4, sort_keys=sort_keys) + "\n").encode()
