"""The classes that labels distinguish, by their titles, as `show` and the report read them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from maskmill.pipeline.report.label_classes import read_label_classes
from maskmill.pipeline.report.source import read_source
from tests.support.builders import write_dataset
from tests.support.command import create
from tests.support.datasets import write_original

NAMES = ["scratch", "7", "pit"]


@pytest.mark.parametrize(
    ("changes", "classes"),
    [
        ({"class_id": 3}, {"class 3": 3}),
        ({"class_id": [4, 1]}, {"any of 4, 1": 4}),
        ({"class_id": [4, 1], "loss": "multilabel_bce", "num_classes": 3}, {"class 4": 4, "class 1": 1}),
        ({"class_id": "all", "loss": "ssce", "num_classes": 5}, {f"class {number}": number for number in (1, 2, 3, 4)}),
        ({"class_id": "pit", "maskmill": {"classes": NAMES}}, {"pit": 3}),
        (
            {"class_id": "all", "loss": "ssce", "num_classes": 4, "maskmill": {"classes": NAMES}},
            {"scratch": 1, "class 7": 2, "pit": 3},
        ),
    ],
)
def test_a_class_has_the_number_that_the_parameters_give_it(
    tmp_path: Path, changes: dict[str, Any], classes: dict[str, int]
) -> None:
    names = changes.get("maskmill", {}).get("classes", ["1", "3", "4"])
    data = write_dataset(tmp_path / "data", [f"{number}.jpg,{name},1 2" for number, name in enumerate(names)])
    dataset = str(create(tmp_path, data, **changes))
    assert list(read_label_classes(dataset, "train_input").items()) == list(classes.items())
    assert read_source(dataset).classes["train_input"] == list(classes)
    assert read_source(dataset).numbers == classes


def test_a_dataset_of_another_program_says_its_only_class(tmp_path: Path) -> None:
    folder = write_original(tmp_path)
    assert read_label_classes(str(folder), "train_input") == {}
    params = json.loads((folder / "data_params.json").read_text())
    (folder / "data_params.json").write_text(json.dumps({**params, "train_input": {"class_id": 3}}))
    assert read_label_classes(str(folder), "train_input") == {"class 3": 3}
