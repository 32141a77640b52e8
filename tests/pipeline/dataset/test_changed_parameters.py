"""Which parameters differ between two datasets, and which of these affect what is in them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from maskmill.pipeline.dataset.changed_parameters import changed_parameters, names_with_effect
from tests.support.builders import params_of

DEFAULTS = {"images": "train_images", "assignment": "position", "runs": {"first": 1}, "splits": None}


def parameters(data: str = "data", **changes: Any) -> dict[str, Any]:
    """Content of data_params.json."""
    flags = changes.pop("flags", {})
    arguments = {
        "params": "p.yaml",
        "output_dir": data,
        "num_output_files": 10,
        "num_processes": 1,
        "name": "x",
        **flags,
    }
    splits = changes.pop("written", ["train_input", "eval_input"])
    content = {**params_of(Path(data), **changes), "input_args": arguments}
    for split in splits:
        content.setdefault(split, {**content["train_input"]})
        content[split]["loss"] = content["model"]["loss"]
        content[f"{split}_hdf"] = {"n_docs": len(data)}
    return content


@pytest.mark.parametrize(
    ("old", "new", "changed", "with_effect"),
    [
        ({}, {}, {}, []),
        ({}, {"maskmill": DEFAULTS, "max_image_shape": [256, 1600]}, {}, []),
        ({"data": "here"}, {"data": "elsewhere"}, {}, []),
        ({}, {"batch_size": 9}, {"train_input.batch_size": (4, 9), "eval_input.batch_size": (4, 9)}, []),
        (
            {},
            {"image_shape": [8, 8, 1]},
            {split: ([16, 24, 1], [8, 8, 1]) for split in ("train_input.image_shape", "eval_input.image_shape")},
            ["image_shape"],
        ),
        ({}, {"eval_input": {"class_id": 4}}, {"eval_input.class_id": (3, 4)}, ["class_id"]),
        ({}, {"loss": "ssce"}, {"model.loss": ("bce", "ssce")}, ["loss"]),
        ({}, {"maskmill": {"salt": "x"}}, {"maskmill.salt": ("", "x")}, ["salt"]),
        ({}, {"maskmill": {"runs": {"first": 0}}}, {"maskmill.runs.first": (1, 0)}, ["runs.first"]),
        (
            {"maskmill": {"splits": {"a_input": 0.5}}},
            {"maskmill": {"splits": {"a_input": 1.0}}},
            {"maskmill.splits": ({"a_input": 0.5}, {"a_input": 1.0})},
            ["splits"],
        ),
        ({}, {"flags": {"num_output_files": 4}}, {"input_args.num_output_files": (10, 4)}, ["num_output_files"]),
        ({}, {"maskmill": {"csv": ["other.csv"]}}, {"maskmill.csv": (["train.csv"], ["other.csv"])}, []),
        ({}, {"maskmill": {"csv": None}}, {"maskmill.csv": (["train.csv"], None)}, ["csv"]),
        ({}, {"maskmill": {"views": True}}, {"maskmill.views": (False, True)}, ["views"]),
        ({}, {"maskmill": {"images": "other"}}, {"maskmill.images": ("train_images", "other")}, []),
        # Sections of splits that come and go tell nothing that `folds` does not; those of train_input stay the same.
        (
            {},
            {"maskmill": {"folds": 2}, "written": ["fold_0", "fold_1"], "batch_size": 9},
            {"maskmill.folds": (None, 2)},
            ["folds"],
        ),
        (
            {"maskmill": {"folds": 2}, "written": ["fold_0", "fold_1"]},
            {"maskmill": {"folds": 1}, "written": ["fold_0"], "image_shape": [8, 8, 1]},
            {
                **{split: ([16, 24, 1], [8, 8, 1]) for split in ("train_input.image_shape", "fold_0.image_shape")},
                "eval_input.image_shape": ([16, 24, 1], [8, 8, 1]),
                "maskmill.folds": (2, 1),
            },
            ["folds", "image_shape"],
        ),
    ],
)
def test_what_differs_is_found(
    old: dict[str, Any], new: dict[str, Any], changed: dict[str, Any], with_effect: list[str]
) -> None:
    found = changed_parameters(parameters(**old), parameters(**new))
    assert found == changed
    assert names_with_effect(found) == with_effect
