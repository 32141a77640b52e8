"""What happens to the data: plain functions, and the PTransforms around them.

The PTransforms are dataclasses that nothing changes after they are made; they are not frozen, because Beam sets the
label and the resource hints of a transform on the object itself.

Names are imported when they are first used: the plain functions need no Beam, and need not wait for it.
"""

from __future__ import annotations

import importlib

_PUBLIC = {
    "AggregateMetadata": "aggregate_metadata",
    "AssignByHash": "assign_by_hash",
    "AssignShards": "assign_shards",
    "AssignSplits": "assign_splits",
    "CountSharedImages": "count_shared_images",
    "DecodeExamples": "decode_examples",
    "GroupByImage": "group_by_image",
    "ListImages": "list_images",
    "ReadAnnotations": "read_annotations",
    "WriteShards": "write_shards",
    "decode_grey": "image",
    "make_example": "example",
    "mask_to_runs": "rle",
    "parse_runs": "rle",
    "read_shard": "hdf5_file",
    "resize_bicubic": "resize",
    "runs_to_mask": "rle",
}

__all__ = sorted(_PUBLIC)


def __getattr__(name: str) -> object:
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_PUBLIC[name]}"), name)
