"""For PyTorch: by position, in batches over ranks and workers, from the middle on, by the original parameters."""

from __future__ import annotations

import contextlib
import copy
import itertools
import json
import os
import socket
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from steelbeam import open_dataset
from tests.datasets import make_dataset
from tests.needs import needs_package

with contextlib.suppress(ModuleNotFoundError):
    import torch
    import torch.distributed
    import torch.multiprocessing
    from torch.utils.data import DataLoader

    from steelbeam.hdf5_data_processor import Hdf5DataProcessor
    from steelbeam.torch import BatchDataset, BatchLoader, ExampleDataset

pytestmark = pytest.mark.torch
Transformed = tuple[np.ndarray, np.ndarray]


@pytest.fixture(autouse=True)
def need_torch() -> None:
    needs_package("torch", "torch")


@pytest.fixture(name="path", scope="module")
def make_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_dataset(tmp_path_factory.mktemp("bce"))


def number(image: np.ndarray, label: np.ndarray, _: np.random.Generator) -> Transformed:
    """In place of an example what tells it from the others: where its defect begins."""
    return label.swapaxes(-1, -2).reshape(-1).argmax(keepdims=True), image.mean(keepdims=True)


def draw(image: np.ndarray, _: np.ndarray, random: np.random.Generator) -> Transformed:
    """In place of an example what chance has given it."""
    return random.random(1), image.mean(keepdims=True)


def firsts(batches: Iterable[Any]) -> list[list[float]]:
    return [first.flatten().tolist() for first, _ in batches]


def flat(lists: Iterable[list[Any]]) -> list[Any]:
    return list(itertools.chain.from_iterable(lists))


def test_examples_by_position_are_tensors(path: Path) -> None:
    dataset = ExampleDataset(open_dataset(path))
    image, label = dataset[1]
    expected = open_dataset(path)[1]
    assert (image.dtype, label.dtype, len(dataset)) == (torch.uint8, torch.float32, 5)
    assert torch.equal(image, torch.from_numpy(expected.image))
    assert torch.equal(label, torch.from_numpy(expected.label))


@pytest.mark.parametrize("workers", [0, 2])
def test_a_loader_of_pytorch_takes_the_map_style_dataset(path: Path, workers: int) -> None:
    loader = DataLoader(ExampleDataset(open_dataset(path), number), batch_size=2, shuffle=True, num_workers=workers)
    assert sorted(flat(firsts(loader))) == [0, 2, 3, 4, 5]


@pytest.mark.parametrize("workers", [0, 1, 2, 3])
@pytest.mark.parametrize("persistent", [False, True])
def test_batches_do_not_depend_on_the_number_of_workers(path: Path, workers: int, persistent: bool) -> None:
    for transform in (number, draw):
        batches = BatchDataset(open_dataset(path), 2, transform=transform, seed=3)
        loader = BatchLoader(batches, num_workers=workers, persistent_workers=persistent and workers > 0)
        assert len(loader) == 3
        found = [firsts(loader), firsts(loader)]
        expected = []
        for epoch in range(2):
            batches.start = (epoch, 0)
            expected.append(firsts(batches))
        assert found == expected
        assert found[0] != found[1]


def test_set_epoch_names_the_epoch(path: Path) -> None:
    loader = BatchLoader(BatchDataset(open_dataset(path), 2, transform=number))
    epochs = [firsts(loader) for _ in range(3)]
    loader.set_epoch(1)
    assert firsts(loader) == epochs[1]
    loader.set_epoch(1)
    assert firsts(loader) == epochs[1]


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("done", [0, 1, 2, 3, 4])
def test_another_loader_goes_on_where_the_state_was_taken(path: Path, workers: int, done: int) -> None:
    def new_loader() -> BatchLoader:
        return BatchLoader(BatchDataset(open_dataset(path), 2, transform=number), num_workers=workers)

    def two_epochs(loader: BatchLoader) -> list[Any]:
        return [batch for epoch in range(2) for batch in _of_epoch(loader, epoch)]

    whole = firsts(two_epochs(new_loader()))
    loader, seen, state = new_loader(), [], None
    state = loader.state_dict()
    for batch in (batch for epoch in range(2) for batch in _of_epoch(loader, epoch)):
        if len(seen) == done:
            break
        seen.append(batch)
        state = copy.deepcopy(loader.state_dict())
    other = new_loader()
    other.load_state_dict(state)
    first = state["epoch"]
    rest = [batch for epoch in range(first, 2) for batch in _of_epoch(other, epoch)]
    assert firsts(seen) + firsts(rest) == whole


def _of_epoch(loader: BatchLoader, epoch: int) -> Iterable[Any]:
    loader.set_epoch(epoch)
    yield from loader


def test_a_state_of_other_batches_is_refused(path: Path) -> None:
    state = BatchLoader(BatchDataset(open_dataset(path), 2)).state_dict()
    with pytest.raises(ValueError, match="'batch_size': 2"):
        BatchLoader(BatchDataset(open_dataset(path), 3)).load_state_dict(state)


def train(rank: int, path: Path, folder: Path) -> None:
    """One of two that train together."""
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": (folder / "port").read_text()}
    torch.distributed.init_process_group("gloo", rank=rank, world_size=2)
    loader = BatchLoader(BatchDataset(open_dataset(path), 2, transform=number), num_workers=2)
    seen = []
    for batch in loader:
        # Whoever had a step more than the other would wait here for ever.
        torch.distributed.barrier()
        seen += firsts([batch])
    (folder / str(rank)).write_text(json.dumps(seen))
    torch.distributed.destroy_process_group()


@pytest.mark.timeout(120)
def test_two_ranks_share_the_examples_and_have_the_same_number_of_steps(path: Path, tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        (tmp_path / "port").write_text(str(free.getsockname()[1]))
    torch.multiprocessing.spawn(train, (path, tmp_path), nprocs=2)
    seen = [json.loads((tmp_path / str(rank)).read_text()) for rank in range(2)]
    assert len(seen[0]) == len(seen[1]) == 2
    assert sorted(flat(flat(seen))) == [0, 2, 3, 4, 5]


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
    with pytest.raises(ValueError, match="and image_shape says 8 x 9"):
        Hdf5DataProcessor(params(path, image_shape=[8, 9, 1]))
    with pytest.raises(ValueError, match="loss is 'dice'; it must be one of bce"):
        Hdf5DataProcessor(params(path, loss="dice"))
