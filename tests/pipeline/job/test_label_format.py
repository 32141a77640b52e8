"""The form of labels follows from the parameters, as a file or data_params.json gives them."""

from __future__ import annotations

from typing import Any

import pytest

from maskmill.pipeline.job.label_format import label_format, names_of_classes
from maskmill.transforms.examples.label import LabelFormat

SECTION = {"image_shape": [16, 24, 1], "num_classes": 3, "class_id": [3, 1]}


def document(loss: str = "ssce", ours: dict[str, Any] | None = None, **section: Any) -> dict[str, Any]:
    return {"model": {"loss": loss}, "train_input": {**SECTION, **section}, **({"maskmill": ours} if ours else {})}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (document(), LabelFormat("ssce", 3, 16, 24, (3, 1))),
        (document("bce", class_id=2), LabelFormat("bce", 3, 16, 24, (2,))),
        (document("bce", class_id="all"), LabelFormat("bce", 3, 16, 24, (1, 2, 3, 4))),
        (document(ours={"label_dtype": "uint8"}), LabelFormat("ssce", 3, 16, 24, (3, 1), as_uint8=True)),
        (document(ours={"classes": ["Fish", "Sugar"]}, class_id="Sugar"), LabelFormat("ssce", 3, 16, 24, (2,))),
        (document(ours={"class_column": None}, class_id=1), LabelFormat("ssce", 3, 16, 24, (1,))),
    ],
)
def test_a_split_gets_the_labels_that_its_parameters_ask_for(content: dict[str, Any], expected: LabelFormat) -> None:
    assert label_format(content, "train_input") == expected


def test_the_classes_that_a_manifest_lists_come_before_what_class_id_would_mean_now() -> None:
    content = document("bce", ours={"classes": ["0", "1", "2", "3"]}, class_id=3)
    assert label_format(content, "train_input").classes == (4,)
    assert label_format(content, "train_input", ["2"]).classes == (3,)
    assert label_format(content, "train_input", {"3": 7, "0": 1}).classes == (4, 1)


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (document("mse"), ValueError),
        (document(class_id=5), ValueError),
        ({"model": {"loss": "bce"}}, KeyError),
        ({"model": {"loss": "bce"}, "train_input": None}, TypeError),
    ],
)
def test_a_document_that_does_not_say_is_refused(content: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        label_format(content, "train_input")


@pytest.mark.parametrize(
    ("ours", "names"),
    [
        (None, ("1", "2", "3", "4")),
        ({"class_column": None}, ("1",)),
        ({"classes": ["Fish", "Sugar"]}, ("Fish", "Sugar")),
        ({"classes": "ship", "class_column": None}, ("ship",)),
    ],
)
def test_classes_have_the_names_that_rows_use(ours: dict[str, Any] | None, names: tuple[str, ...]) -> None:
    assert names_of_classes(document(ours=ours)) == names
