"""Processes the data: plain functions, and thin PTransforms around them.

The PTransforms are dataclasses. Nothing changes their fields after construction, but they are not frozen: Beam sets the
label and the resource hints of a transform on the object itself.

A name is imported when it is first used, so that the plain functions do not wait for Beam.
"""

from __future__ import annotations

import importlib

_PUBLIC = {
    "AggregateMetadata": "aggregate_metadata",
    "ApplyTransform": "assignment.apply_transform",
    "AssignByHash": "assignment.assign_by_hash",
    "AssignByName": "assignment.assign_by_name",
    "AssignByPosition": "assignment.assign_by_position",
    "AssignByRank": "assignment.ranks",
    "AssignExamples": "assignment.assign_examples",
    "AssignShards": "assignment.assign_shards",
    "AssignStratified": "assignment.assign_stratified",
    "CountSharedImages": "assignment.count_shared_images",
    "DecodeExamples": "sink.decode_examples",
    "DropWithoutCrops": "assignment.drop_without_crops",
    "GroupByImage": "annotations.group_by_image",
    "ListImages": "annotations.list_images",
    "PlanShards": "sink.plan_shards",
    "ReadAnnotations": "annotations.read_annotations",
    "ReadImageValues": "annotations.read_image_values",
    "SelectExamples": "assignment.select_examples",
    "SelectedExample": "assignment.splits",
    "SettleDuplicates": "assignment.settle_duplicates",
    "WriteShards": "sink.write_shards",
    "decode_grey": "examples.image",
    "make_example": "examples.make_example",
    "parse_runs": "examples.mask_text",
    "read_shard": "shards.hdf5_file",
    "resize_bicubic": "examples.resize",
    "runs_to_mask": "examples.rle",
}

__all__ = sorted(_PUBLIC)


def __getattr__(name: str) -> object:
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_PUBLIC[name]}"), name)
