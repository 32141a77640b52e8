"""Reads how images are cut into crops, from parameters or from data_params.json, which repeats them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from maskmill.pipeline.errors import UsageError
from maskmill.pipeline.job.params import Params
from maskmill.transforms.examples.crops import SHIFT, CropFormat


def crop_format(document: Mapping[str, Any]) -> CropFormat | None:
    """Reads how images are cut; None if they are not.

    Args:
        document: the whole file.

    Raises:
        ValueError, KeyError, TypeError: the document does not say.
    """
    ours = document.get("maskmill") or {}
    if (section := ours.get("crops")) is None:
        return None
    empty = section.get("empty", "all")
    share = {"all": 1.0, "none": 0.0}[empty] if isinstance(empty, str) else float(empty)
    if ours.get("csv", ()) is None:
        share = 1.0  # without labels nothing tells whether a crop is empty
    return CropFormat(
        size=_pair(section["size"]),
        stride=_pair(section.get("stride") or section["size"]),
        edge=section.get("edge", SHIFT),
        empty=share,
        source=_pair(section["source"]),
        salt=ours.get("salt", "") if 0 < share < 1 else "",
    )


def _pair(size: Any) -> tuple[int, int]:
    down, across = size
    return down, across


def check_crops(params: Params) -> None:
    """Raises UsageError if crops would be tiled, padded or cropped: their own size is the one to choose."""
    resize = params.maskmill.resize
    if params.maskmill.crops and resize != "stretch":
        raise UsageError(
            f"{params.source}: maskmill.crops: does not go with resize: {resize}; remove resize, and give crops "
            "the aspect of image_shape"
        )
    for name, split in params.splits.items():
        (height, width, _), most = split.image_shape, split.max_image_shape
        if params.maskmill.crops and (height > most[0] or width > most[1]):
            raise UsageError(
                f"{params.source}: maskmill.crops: {name}.image_shape is above its max_image_shape, "
                f"{most[0]} x {most[1]}, so that each crop would be tiled; set {name}.max_image_shape: "
                f"[{height}, {width}], or a smaller image_shape"
            )
