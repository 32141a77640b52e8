"""Recognises files that are no parameter file, or one for other data, and says in one message what to give instead."""

import re
from collections.abc import Collection, Mapping
from difflib import get_close_matches
from typing import Any

from maskmill.names import EVAL, TRAIN
from maskmill.pipeline.job.yaml_file import Path, shown
from maskmill.transforms.files.signatures import kind_of

# The class of the Model Zoo that reads this kind of data.
DATA_PROCESSOR = "SeverstalBinaryClassDataProcessor"
# Its class that reads what maskmill writes.
_READERS = ("Hdf5DataProcessor", "Hdf5BaseDataProcessor")

_KEYS = f"data_processor: {DATA_PROCESSOR}, data_dir, image_shape, class_id, train_test_split and num_classes"
_NEEDED = f"give a file with the sections {TRAIN} and {EVAL}, each with {_KEYS}, and the section model with loss"

# As many as `kind_of` needs.
_HEAD_BYTES = 300
_HEADER = re.compile(r"[^\s:#?%&*!|>{}\[\]-][^:\n]*[,;\t][^:\n]*")
# Keys that only files of these kinds have.
_KINDS = {
    "COCO annotations": {"images", "annotations"},
    "the manifest.json of a dataset": {"format_version", "splits"},
    "a model's configuration": {"model_type"},
}


def other_bytes(data: bytes) -> str | None:
    """Recognises a binary file by its first bytes.

    Returns:
        what it is and what to do; None if it may be text.
    """
    kind = kind_of(data[:_HEAD_BYTES])
    return f"this is {kind}, not a parameter file; {_NEEDED}" if kind else None


def other_text(text: str) -> str | None:
    """Recognises text that is no YAML mapping.

    Returns:
        what it is and what to do; None if it may be a parameter file with a mistake.
    """
    start = text.lstrip()
    if start.startswith("<"):
        return "this is an HTML or XML page, not a parameter file; download the file itself (on a web page: raw)"
    if _HEADER.fullmatch(start.partition("\n")[0].rstrip()):
        return f"this is a CSV file, not a parameter file; {_NEEDED}; the CSV belongs in the folder data_dir"
    return None


def other_document(document: Mapping[str, Any], sections: Collection[str]) -> tuple[Path, str] | None:
    """Recognises YAML or JSON that is written for something else.

    Args:
        document: the whole file.
        sections: names of the sections that a parameter file has.

    Returns:
        path of the key that shows it; what it is and what to do. None if it is a parameter file, which may be wrong.
    """
    if "input_args" in document and f"{TRAIN}_hdf" in document:
        made_from = _at(document, "input_args", "params")
        return (), f"this is the data_params.json of a dataset; give the file that it was made from: {shown(made_from)}"
    if "trainer" in document and TRAIN not in document:
        return _other_processor(document, ("trainer", "fit", "train_dataloader")) or (("trainer",), _TRAINER)
    for section in sections:
        if found := _other_processor(document, (section,)):
            return found
    if not any(get_close_matches(key, sections, n=1, cutoff=0.8) for key in document):
        kinds = [kind for kind, keys in _KINDS.items() if keys <= document.keys()]
        what = f"this is {kinds[0]}, not a parameter file" if kinds else "this is not a parameter file"
        return (), f"{what}; {_NEEDED}"
    return None


_TRAINER = (
    "this is the form of Model Zoo release 2.3 and later, and maskmill reads the form before it: move the keys of "
    f"trainer.fit.train_dataloader to {TRAIN}, those of trainer.fit.val_dataloader to {EVAL}, and trainer.init.model "
    f"to model; {TRAIN} and {EVAL} need {_KEYS} (some may be among the model's keys), and model needs loss"
)


def _other_processor(document: Mapping[str, Any], section: Path) -> tuple[Path, str] | None:
    path = (*section, "data_processor")
    name = _at(document, *path)
    if not isinstance(name, str) or get_close_matches(name, [DATA_PROCESSOR], n=1, cutoff=0.8):
        return None
    if name in _READERS:
        what = "reads a dataset that is made already; give the file that the dataset is to be made from"
        return path, f"{name} {what}, with {_KEYS}"
    return path, f"{shown(name)} is for other data; {_NEEDED}"


def _at(document: object, *path: str | int) -> object:
    """Returns the value at a path; None if there is none."""
    for key in path:
        document = document.get(key) if isinstance(document, dict) else None
    return document
