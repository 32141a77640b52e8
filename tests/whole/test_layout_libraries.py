"""docs/layouts.md: other libraries read the layout `arrays` as the page says, and find the same examples."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from maskmill import open_dataset
from tests.support.builders import write_dataset
from tests.support.command import ROOT, create
from tests.support.needs import needs_package
from tests.support.pages import python_blocks

pytestmark = pytest.mark.libraries
_, PYTORCH, KERAS, HUGGING_FACE = python_blocks((ROOT / "docs" / "layouts.md").read_text(encoding="utf-8"))


@pytest.fixture(name="folder")
def make_folder(tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A dataset of shards with 3, 3, 2 and no examples, in the working folder."""
    data = write_dataset(tmp_path / "data", [f"{index:02}.jpg,3,{1 + index} 2" for index in range(16)])
    changes = getattr(request, "param", {})
    create(tmp_path, data, "--num_output_files=3", output="hdf5", maskmill={"layout": "arrays"}, **changes)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    return tmp_path


def in_order_of_files(folder: Path, split: str) -> list[Any]:
    """The examples of a split, shard by shard."""
    examples = open_dataset(folder / "hdf5", split)
    order = np.argsort(examples.shard_numbers, kind="stable")
    return [examples[int(index)] for index in order]


LOSSES = pytest.mark.parametrize(
    "folder",
    [
        {"loss": "bce"},
        {"loss": "multilabel_bce", "num_classes": 3, "class_id": [3, 4]},
        {"loss": "ssce", "train_test_split": 0.1},
        {"loss": "bce", "train_test_split": 0.1},
    ],
    indirect=True,
    ids=["bce", "multilabel_bce", "ssce", "an empty shard"],
)


@LOSSES
def test_hugging_face_loads_every_split(folder: Path) -> None:
    needs_package("datasets", "test-libraries")
    names: dict[str, Any] = {}
    exec(HUGGING_FACE, names)
    for name, split in (("train", "train_input"), ("eval", "eval_input")):
        examples = in_order_of_files(folder, split)
        found = names["splits"][name]
        assert found.column_names == ["images", "labels"]
        assert found.features["images"].dtype == "uint8"
        assert found.features["labels"].dtype == str(examples[0].label.dtype)
        assert len(found) == len(examples)
        for row, example in zip(found, examples, strict=True):
            assert np.array_equal(row["images"], example.image)
            assert np.array_equal(row["labels"], example.label)
    assert np.array_equal(names["label"], names["splits"]["train"][0]["labels"])


@LOSSES
def test_pytorch_loads_batches_in_several_processes(folder: Path) -> None:
    needs_package("torch", "torch")
    names: dict[str, Any] = {}
    exec(PYTORCH.replace("shuffle=True", "shuffle=False"), names)
    examples = in_order_of_files(folder, "train_input")
    assert len(names["loader"].dataset) == len(examples)
    images, labels = (np.concatenate(arrays) for arrays in zip(*names["loader"], strict=True))
    assert np.array_equal(images, [example.image for example in examples])
    assert np.array_equal(labels, [example.label for example in examples])


def test_keras_trains_on_a_shard(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    needs_package("keras", "test-libraries")
    names: dict[str, Any] = {}
    exec(KERAS, names)
    examples = in_order_of_files(folder, "train_input")
    images, labels = names["Batches"]("hdf5/train_input/preprocessed_data-0_p0.h5")[0]
    assert images.shape == (3, *examples[0].image.shape[1:], 1)
    assert np.array_equal(images[..., 0] * 255, [example.image[0] for example in examples[:3]])
    assert np.array_equal(labels[..., 0], [example.label[0] for example in examples[:3]])
    assert len(names["history"].history["loss"]) == 2
    assert 0 < names["history"].history["loss"][-1] < 5
