"""In place of the Model Zoo's Hdf5DataProcessor: the original's parameters, and batches in its types."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from maskmill import open_dataset
from maskmill.augment import flip, normalize, rotate
from tests.support.builders import write_dataset, write_images
from tests.support.command import create
from tests.support.datasets import make_dataset
from tests.support.needs import needs_package

with contextlib.suppress(ModuleNotFoundError):
    import torch

    from maskmill.hdf5_data_processor import Hdf5DataProcessor

pytestmark = pytest.mark.torch


@pytest.fixture(autouse=True)
def need_torch() -> None:
    needs_package("torch", "torch")


@pytest.fixture(name="path", scope="module")
def make_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_dataset(tmp_path_factory.mktemp("bce"))


def params(path: Path, **changes: Any) -> dict[str, Any]:
    """A section of a parameter file of the Model Zoo, as its training reads it."""
    height, width = open_dataset(path).image_shape[1:]
    section = {"data_dir": f"{path}/train_input", "image_shape": [height, width, 1], "loss": "bce", "num_classes": 2}
    settings = {"batch_size": 2, "shuffle": True, "shuffle_seed": 1, "drop_last": False, "num_workers": 0}
    return {**section, **settings, "use_worker_cache": False, "augment_data": False, **changes}


def test_the_parameters_of_the_original_make_a_loader(path: Path) -> None:
    changes = {"normalize_data_method": "zero_centered", "drop_last": True, "num_workers": 2, "prefetch_factor": 2}
    batches = list(Hdf5DataProcessor(params(path, **changes)).create_dataloader(is_training=True))
    assert [tuple(images.shape[:2]) for images, _ in batches] == [(2, 1), (2, 1)]
    images, labels = batches[0]
    assert (images.dtype, labels.dtype) == (torch.float32, torch.float32)
    assert -1 <= images.min() < 0 < images.max() <= 1


def test_several_splits_of_a_dataset_are_read_as_one(path: Path, tmp_path: Path) -> None:
    folders = [f"{path}/eval_input", f"{path}/train_input/"]
    batches = Hdf5DataProcessor(params(path, data_dir=folders, shuffle=False)).create_dataloader()
    images = torch.cat([images for images, _ in batches])
    expected = [open_dataset(path, split)[0].image for split in ("eval_input", "train_input")]
    assert len(images) == 8
    assert np.array_equal(images[[0, 3]], np.stack(expected))
    with pytest.raises(ValueError, match="name the folder of a split, or several in one dataset"):
        Hdf5DataProcessor(params(path, data_dir=[*folders, f"{tmp_path}/train_input"]))


def test_a_fold_is_read_with_the_section_that_its_dataset_repeats(tmp_path: Path) -> None:
    data = write_dataset(tmp_path / "data", [f"{name}.jpg,3,1 2" for name in "abcdef"])
    path = create(tmp_path, data, maskmill={"folds": 3})
    section = json.loads((path / "data_params.json").read_text())["fold_1"]
    loader = Hdf5DataProcessor({**section, "data_dir": f"{path}/fold_1", "batch_size": 2}).create_dataloader()
    assert [len(images) for images, _ in loader] == [2]


@pytest.mark.parametrize(("use_bfloat16", "dtype"), [(True, "bfloat16"), (False, "float16")])
def test_mixed_precision(path: Path, use_bfloat16: bool, dtype: str) -> None:
    section = params(path, mixed_precision=True, use_bfloat16=use_bfloat16, normalize_data_method="zero_one")
    images, labels = next(iter(Hdf5DataProcessor(section).create_dataloader()))
    assert images.dtype == labels.dtype == getattr(torch, dtype)


@pytest.mark.parametrize(("loss", "num_classes", "dtype"), [("multilabel_bce", 3, "float32"), ("ssce", 2, "int32")])
def test_labels_of_the_other_losses(tmp_path: Path, loss: str, num_classes: int, dtype: str) -> None:
    path = make_dataset(tmp_path, loss=loss, num_classes=num_classes)
    section = params(path, loss=loss, num_classes=num_classes, augment_data=True, mixed_precision=loss == "ssce")
    images, labels = next(iter(Hdf5DataProcessor(section).create_dataloader()))
    assert labels.dtype == getattr(torch, dtype)
    assert labels.shape[1:] == open_dataset(path).label_shape
    assert images.is_floating_point()


def test_augmented_examples_differ_from_epoch_to_epoch_and_not_from_run_to_run(path: Path) -> None:
    section = params(path, augment_data=True, normalize_data_method="zero_one", shuffle=False)
    loaders = [Hdf5DataProcessor(section).create_dataloader() for _ in range(2)]
    runs = [[torch.cat([images for images, _ in loader]) for _ in range(3)] for loader in loaders]
    assert all(torch.equal(one, other) for one, other in zip(*runs, strict=True))
    assert not torch.equal(runs[0][0], runs[0][1])


def test_another_shape_than_the_parameters_name_is_an_error(path: Path) -> None:
    with pytest.raises(ValueError, match="but image_shape says 8 x 9"):
        Hdf5DataProcessor(params(path, image_shape=[8, 9, 1]))
    with pytest.raises(ValueError, match="loss is 'dice'; it must be one of bce"):
        Hdf5DataProcessor(params(path, loss="dice"))


@pytest.mark.parametrize(("loss", "dtype"), [("bce", "float32"), ("multilabel_bce", "float32"), ("ssce", "int32")])
def test_labels_that_are_stored_as_uint8_have_the_types_of_the_original(tmp_path: Path, loss: str, dtype: str) -> None:
    data = write_dataset(tmp_path / "data", [f"{name}.jpg,3,{start} 2" for start, name in enumerate("abcd", 1)])
    path = create(tmp_path, data, loss=loss, maskmill={"label_dtype": "uint8"})
    assert open_dataset(path).label_dtype == np.uint8
    for mixed in (False, True):
        section = params(path, loss=loss, mixed_precision=mixed, use_bfloat16=True)
        _, labels = next(iter(Hdf5DataProcessor(section).create_dataloader()))
        expected = "bfloat16" if mixed and loss != "ssce" else dtype
        assert labels.dtype == getattr(torch, expected)
        assert labels.any()


def test_augmented_images_have_one_type_whatever_chance_chooses(path: Path) -> None:
    loader = Hdf5DataProcessor(params(path, augment_data=True, batch_size=1)).create_dataloader()
    assert {images.dtype for _ in range(2) for images, _ in loader} == {torch.float32}


@pytest.mark.parametrize("shape", [(1, 5, 7), (3, 6, 6)])
def test_flips_turns_and_scores_are_those_of_pytorch(shape: tuple[int, ...]) -> None:
    array = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    tensor = torch.from_numpy(array)
    assert np.array_equal(flip(array), torch.flip(tensor, [-1]))
    for turns in range(5):
        assert np.array_equal(rotate(array, turns), torch.rot90(tensor, turns, [-2, -1]))
    grey = tensor.to(torch.float32)
    assert np.allclose(normalize(array, "standard_score"), (grey - grey.mean()) / grey.std(), atol=1e-5)


def test_a_store_is_read_through_a_cache_and_by_shards(path: Path, tmp_path: Path) -> None:
    import fsspec

    fsspec.filesystem("memory").put(str(path), "/processor", recursive=True)
    section = params(path, data_dir="memory://processor/train_input", shuffle_buffer=4)
    loader = Hdf5DataProcessor(section, window=1, cache=tmp_path / "cache").create_dataloader()
    assert loader.dataset.plan.window == 1
    assert sum(len(images) for images, _ in loader) == 5
    assert len(list((tmp_path / "cache").iterdir())) == 3


def test_images_with_colours_have_three_channels(tmp_path: Path) -> None:
    data = write_dataset(tmp_path / "data", [f"{name}.jpg,3,1 9" for name in "abcd"])
    out = create(tmp_path, data, train_test_split=1.0, maskmill={"colour": "rgb"})
    changes = {"augment_data": True, "normalize_data_method": "standard_score", "mixed_precision": True}
    for images, labels in Hdf5DataProcessor(params(out, **changes)).create_dataloader():
        assert images.shape == (2, 3, 16, 24)
        assert labels.shape == (2, 1, 16, 24)
        assert images.dtype == labels.dtype == torch.float16


def test_examples_without_labels_are_refused(tmp_path: Path) -> None:
    write_images(tmp_path / "data" / "train_images", ["a.jpg", "b.jpg"])
    path = create(tmp_path, tmp_path / "data", maskmill={"csv": None})
    section = {"data_dir": f"{path}/eval_input", "image_shape": [16, 24, 1], "loss": "bce", "batch_size": 1}
    with pytest.raises(
        ValueError, match=r"eval_input: the examples have no labels \(csv: null\), which training needs"
    ):
        Hdf5DataProcessor(section)
