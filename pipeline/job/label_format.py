"""Reads the form of a split's labels from parameters, for the run that writes them and the check that reads them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from maskmill.names import LOSSES
from maskmill.pipeline.job.classes import class_names, class_numbers
from maskmill.transforms.examples.label import LabelFormat


def label_format(document: Mapping[str, Any], split: str, written: Iterable[str] | None = None) -> LabelFormat:
    """Reads the form of a split's labels from a parameter file, or from data_params.json, which repeats it.

    Args:
        document: the whole file.
        split: name of the split.
        written: names of the split's classes, if a manifest lists them; see `chosen_classes`.

    Raises:
        ValueError, KeyError, TypeError: the document does not say.
    """
    loss = document["model"]["loss"]
    if loss not in LOSSES:
        raise ValueError(f"model.loss is {loss!r}")
    section = document[split]
    height, width, *_ = section["image_shape"]
    return LabelFormat(
        loss=loss,
        num_classes=section["num_classes"],
        height=height,
        width=width,
        classes=chosen_classes(document, split, written),
        as_uint8=_ours(document).get("label_dtype") == "uint8",
    )


def chosen_classes(document: Mapping[str, Any], split: str, written: Iterable[str] | None = None) -> tuple[int, ...]:
    """Numbers of the classes whose masks become a split's labels, from 1.

    Args:
        document: the whole file.
        split: name of the split.
        written: names of the split's classes, in their order, if a manifest lists them. In datasets that an earlier
            maskmill wrote, a number in `class_id` could be a position although a class has a number for a name.

    Raises:
        ValueError, KeyError, TypeError: the document does not say.
    """
    names = names_of_classes(document)
    return class_numbers(document[split]["class_id"] if written is None else list(written), names)


def names_of_classes(document: Mapping[str, Any]) -> tuple[str, ...]:
    """Names of all classes, as they stand in the rows; a class's number is its place among them, from 1."""
    ours = _ours(document)
    return class_names(ours.get("classes"), ours.get("class_column", ""))


def _ours(document: Mapping[str, Any]) -> Mapping[str, Any]:
    return document.get("maskmill") or {}
