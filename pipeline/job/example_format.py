"""Reads the form of a split's examples from parameters, for the run that writes them and the check that reads them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from maskmill.names import GROUPS
from maskmill.pipeline.job.crop_format import crop_format
from maskmill.pipeline.job.label_format import label_format
from maskmill.pipeline.job.section_models import SplitParams
from maskmill.transforms.examples.image import MAX_PIXELS
from maskmill.transforms.examples.spec import ExampleFormat


def example_format(document: Mapping[str, Any], split: str, written: Iterable[str] | None = None) -> ExampleFormat:
    """Reads the form of a split's examples from a parameter file, or from data_params.json, which repeats it.

    Args:
        document: the whole file.
        split: name of the split.
        written: see `label_format`.

    Raises:
        ValueError, KeyError, TypeError: the document does not say.
    """
    section, ours = document[split], document.get("maskmill") or {}
    labelled = ours.get("csv", ()) is not None
    label = label_format(document, split, written if labelled else None)
    crops = crop_format(document)
    colour, resize = ours.get("colour", "grey"), ours.get("resize", "stretch")
    most = section.get("max_image_shape", SplitParams.model_fields["max_image_shape"].default)
    tiled = (min(label.height, most[0]), min(label.width, most[1]))
    return ExampleFormat(
        resized=tiled if resize == "stretch" else (label.height, label.width),
        label=label,
        max_pixels=ours.get("max_image_pixels", MAX_PIXELS),
        by_rows=(ours.get("runs") or {}).get("order") == "rows",
        records_views=resize != "stretch" or crops is not None or not labelled or ours.get("views", False),
        colour=colour,
        resize=resize,
        layout=ours.get("layout", GROUPS),
        crops=crops,
        labelled=labelled,
    )
