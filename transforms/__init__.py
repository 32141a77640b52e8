"""What happens to the data: plain functions, and the PTransforms around them.

The PTransforms are dataclasses that nothing changes after they are made; they are not frozen, because Beam sets the
label and the resource hints of a transform on the object itself.

Names are imported when they are first used: the plain functions need no Beam, and need not wait for it.
"""

from __future__ import annotations

import importlib

_PUBLIC = {
    "AggregateMetadata": "aggregate_metadata",
    "AssignByHash": "assignment.assign_by_hash",
    "AssignShards": "assignment.assign_shards",
    "AssignSplits": "assignment.assign_by_position",
    "AssignStratified": "assignment.assign_stratified",
    "CountSharedImages": "assignment.count_shared_images",
    "DecodeExamples": "sink.decode_examples",
    "GroupByImage": "annotations.group_by_image",
    "ListImages": "annotations.list_images",
    "PlanShards": "sink.plan_shards",
    "ReadAnnotations": "annotations.read_annotations",
    "SelectExamples": "assignment.select_examples",
    "WriteShards": "sink.write_shards",
    "decode_grey": "examples.image",
    "make_example": "examples.make_example",
    "mask_to_runs": "examples.rle",
    "parse_runs": "examples.rle",
    "read_shard": "shards.hdf5_file",
    "resize_bicubic": "examples.resize",
    "runs_to_mask": "examples.rle",
}

__all__ = sorted(_PUBLIC)


def __getattr__(name: str) -> object:
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_PUBLIC[name]}"), name)
