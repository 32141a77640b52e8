"""For PyTorch: by position, in batches over ranks and workers, from the middle on."""

from __future__ import annotations

import contextlib
import copy
import itertools
import json
import os
import socket
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from maskmill import open_dataset
from tests.support.builders import write_dataset, write_images
from tests.support.command import create
from tests.support.datasets import make_dataset
from tests.support.needs import needs_package

with contextlib.suppress(ModuleNotFoundError):
    import torch
    import torch.distributed
    import torch.multiprocessing
    from torch.utils.data import DataLoader

    from maskmill.torch import BatchDataset, BatchLoader, ExampleDataset, balanced_sampler

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


@pytest.mark.parametrize("start_method", ["fork", "spawn"])
@pytest.mark.timeout(120)
def test_workers_read_from_a_cache_after_their_parent_has(path: Path, tmp_path: Path, start_method: str) -> None:
    import fsspec

    remote = start_method == "fork"  # Others have no such memory.
    if remote:
        fsspec.filesystem("memory").put(str(path), "/torch", recursive=True)
    # A batch may have the last example of one shard and the first of the next one.
    limit = sum(sorted(file.stat().st_size for file in (path / "train_input").iterdir())[-2:])
    cache = {"cache": tmp_path / "cache", "cache_bytes": limit}
    examples = open_dataset("memory://torch" if remote else path, **cache)
    batches = BatchDataset(examples, 2, transform=number, window=1)
    expected = firsts(BatchDataset(open_dataset(path), 2, transform=number, window=1))
    under_way = iter(batches)
    assert next(under_way)[0].flatten().tolist() == expected[0]
    loader = BatchLoader(batches, num_workers=2, multiprocessing_context=start_method)
    assert firsts(loader) == expected
    assert sorted(flat(firsts(loader))) == [0, 2, 3, 4, 5]
    assert firsts(under_way) == expected[1:]


def test_with_a_window_another_loader_goes_on(path: Path) -> None:
    def new_loader(**plan: Any) -> BatchLoader:
        return BatchLoader(BatchDataset(open_dataset(path), 2, transform=number, **plan))

    loader = new_loader(window=2)
    whole = firsts(loader)
    loader.set_epoch(0)
    next(iter(loader))
    state = loader.state_dict()
    other = new_loader(window=2)
    other.load_state_dict(state)
    assert firsts(other) == whole[1:]
    with pytest.raises(ValueError, match="'window': 2"):
        new_loader().load_state_dict(state)
    # A state from before there were windows.
    del state["plan"]["window"]
    new_loader().load_state_dict(state)
    with pytest.raises(ValueError, match="'window': None"):
        new_loader(window=2).load_state_dict(state)


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


def test_what_is_left_is_counted_before_during_and_after_an_epoch_that_was_gone_on_with(path: Path) -> None:
    loader = BatchLoader(BatchDataset(open_dataset(path), 2, transform=number))
    assert [len(loader) for _ in loader] == [2, 1, 3]
    batches = iter(loader)
    next(batches)
    state = loader.state_dict()

    other = BatchLoader(BatchDataset(open_dataset(path), 2, transform=number))
    assert len(other) == 3
    other.load_state_dict(state)
    other.set_epoch(1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # PyTorch's, where there are more batches than it was told.
        assert len(other) == 2
        assert [len(other) for _ in other] == [1, 3]
        assert len(list(other)) == len(other) == 3


def test_the_same_workers_go_on_in_the_middle_of_another_epoch(path: Path) -> None:
    loader = BatchLoader(BatchDataset(open_dataset(path), 2, transform=number), num_workers=2, persistent_workers=True)
    states, epochs = [], []
    for _ in range(2):
        epochs.append([])
        for batch in loader:
            epochs[-1] += firsts([batch])
            states.append(loader.state_dict())
    loader.load_state_dict(states[0])
    assert firsts(loader) == epochs[0][1:]
    assert firsts(loader) == epochs[1]


def test_the_state_of_one_rank_is_that_of_all(path: Path) -> None:
    def new_loaders() -> list[BatchLoader]:
        ranks = (BatchDataset(open_dataset(path), 1, transform=number, rank=rank, world_size=2) for rank in range(2))
        return [BatchLoader(batches) for batches in ranks]

    whole = [firsts(loader) for loader in new_loaders()]
    assert sorted(flat(flat(whole))) == [0, 2, 3, 4, 5]
    loaders = new_loaders()
    for _ in zip(*loaders, strict=True):
        break
    assert loaders[0].state_dict() == loaders[1].state_dict()
    others = new_loaders()
    for loader in others:
        loader.load_state_dict(loaders[0].state_dict())
    assert [firsts(loader) for loader in others] == [batches[1:] for batches in whole]


@pytest.mark.parametrize(("rank", "world_size"), [(2, 2), (-1, 2), (0, 0), (1, None), (None, 2)])
def test_a_rank_that_there_is_not_is_an_error(path: Path, rank: int | None, world_size: int | None) -> None:
    with pytest.raises(ValueError, match=f"rank is {rank} and world_size {world_size}; name both"):
        BatchDataset(open_dataset(path), 2, rank=rank, world_size=world_size)


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


@pytest.fixture(name="padded", scope="module")
def make_padded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Wide images in high examples: rows 0 to 2 and from 13 on are padding."""
    folder = tmp_path_factory.mktemp("padded")
    data = write_dataset(folder / "data", [f"{name}.jpg,3,1 99" for name in "abcd"])
    ours = {"colour": "rgb", "resize": "pad"}
    return create(folder, data, image_shape=[17, 16, 1], train_test_split=1.0, maskmill=ours)


def test_labels_say_where_the_image_is_padded_also_after_augmentation(padded: Path) -> None:
    examples = open_dataset(padded, label_dtype="uint8")
    assert {tuple(box) for box in examples.views.valid.tolist()} == {(3, 0, 11, 16)}

    def upside_down(image: np.ndarray, label: np.ndarray, _: np.random.Generator) -> Any:
        return image[:, ::-1], label[:, ::-1]

    batches = BatchLoader(BatchDataset(examples, 2, transform=upside_down, padding=255, shuffle=False), num_workers=1)
    single = ExampleDataset(examples, upside_down, padding=255)
    for images, labels in [*batches, tuple(map(torch.stack, zip(*(single[index] for index in range(4)), strict=True)))]:
        inside = labels != 255
        assert images.shape[1:] == (3, 17, 16)
        assert inside[:, :, 3:14].all()
        assert not inside[:, :, :3].any()
        assert not inside[:, :, 14:].any()
        assert set(labels[inside].tolist()) == {0, 1}
    assert set(BatchDataset(examples, 4).__iter__().__next__()[1].unique().tolist()) == {0, 1}


def test_a_value_that_labels_cannot_hold_is_refused(padded: Path) -> None:
    with pytest.raises(ValueError, match="padding is -100, which labels of uint8 cannot hold; take 255"):
        BatchDataset(open_dataset(padded, label_dtype="uint8"), 2, padding=-100)
    with pytest.raises(ValueError, match="cannot hold"):
        ExampleDataset(open_dataset(padded, label_dtype="uint8"), padding=-1)
    assert len(BatchDataset(open_dataset(padded), 2, padding=-100)) == 2


def test_without_padding_there_is_nothing_to_mark(path: Path) -> None:
    plain, marked = (list(BatchDataset(open_dataset(path), 2, padding=padding)) for padding in (None, 255))
    assert all(torch.equal(one[1], other[1]) for one, other in zip(plain, marked, strict=True))


def test_a_balanced_sampler_draws_every_group_equally_often(tmp_path: Path) -> None:
    # Of twelve examples eight have class 1, one has both classes, one has class 3, and two have none.
    rows = [f"{index:02}.jpg,1,1 5" for index in range(9)]
    rows += ["08.jpg,3,9 2", "09.jpg,3,9 2", "10.jpg,3,-1", "11.jpg,1,-1"]
    data = write_dataset(tmp_path / "data", rows)
    changes: dict[str, Any] = {"class_id": [1, 3], "loss": "multilabel_bce", "num_classes": 3, "train_test_split": 1.0}
    examples = open_dataset(create(tmp_path, data, **changes))
    assert (examples.areas > 0).sum(axis=0).tolist() == [9, 2]
    drawn = np.bincount(list(balanced_sampler(examples, 30_000, seed=5)), minlength=12) / 30_000
    # A third each: of class 1, of class 3, and without a defect.
    expected = np.array([*[1 / 9] * 8, 1 / 9 + 1 / 2, 1 / 2, 1 / 2, 1 / 2]) / 3
    assert np.abs(drawn - expected).max() < 0.01
    # Of a part in which no example is without a defect, half each.
    drawn = np.bincount(list(balanced_sampler(examples[7:10], 30_000)), minlength=3) / 30_000
    assert np.abs(drawn - [1 / 4, 1 / 4 + 1 / 4, 1 / 4]).max() < 0.01


def test_a_balanced_sampler_depends_on_its_seed_and_goes_on_in_the_next_epoch(path: Path) -> None:
    examples = open_dataset(path)
    sampler = balanced_sampler(examples, 100, seed=5)
    first, second = list(sampler), list(sampler)
    assert first == list(balanced_sampler(examples, 100, seed=5))
    assert first not in (second, list(balanced_sampler(examples, 100, seed=6)))
    loader = DataLoader(ExampleDataset(examples), batch_size=2, sampler=balanced_sampler(examples), num_workers=2)
    assert [len(images) for images, _ in loader] == [2, 2, 1]
    with pytest.raises(ValueError, match="has no examples to draw from"):
        balanced_sampler(examples[[]])


def test_several_splits_are_loaded_as_one(path: Path) -> None:
    examples = open_dataset(path, split=["eval_input", "train_input"])
    alone = [open_dataset(path, split) for split in ("eval_input", "train_input")]
    expected = [float(one.label.swapaxes(-1, -2).reshape(-1).argmax()) for split in alone for one in split]
    loader = BatchLoader(BatchDataset(examples, 3, transform=number, shuffle=False), num_workers=2)
    assert list(itertools.chain(*firsts(loader))) == expected
    for window in (None, 1):
        batches = BatchDataset(examples, 3, transform=number, window=window)
        assert sorted(itertools.chain(*firsts(batches))) == sorted(expected)
    assert len(ExampleDataset(examples)) == len(list(balanced_sampler(examples))) == 8


@pytest.fixture(name="images", scope="module")
def make_images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seven images without labels."""
    folder = tmp_path_factory.mktemp("images")
    write_images(folder / "data" / "train_images", [f"{name}.jpg" for name in "abcdefg"])
    return create(folder, folder / "data", "--num_output_files=2", maskmill={"csv": None})


def mean(image: np.ndarray, label: None, _: np.random.Generator) -> tuple[np.ndarray, None]:
    assert label is None
    return image.mean(keepdims=True), label


@pytest.mark.parametrize("workers", [0, 2])
def test_of_examples_without_labels_there_are_only_images_in_order(images: Path, workers: int) -> None:
    examples = open_dataset(images, "eval_input")
    stored = torch.from_numpy(examples.read(range(7)).images)
    loader = DataLoader(ExampleDataset(examples), batch_size=3, num_workers=workers)
    assert [len(batch) for batch in loader] == [3, 3, 1]
    assert torch.equal(torch.cat(list(loader)), stored)
    batches = BatchDataset(examples, 3, shuffle=False, drop_last=False)
    assert torch.equal(torch.cat(list(BatchLoader(batches, num_workers=workers))), stored)
    means = torch.cat(list(BatchLoader(BatchDataset(examples, 3, transform=mean, shuffle=False, drop_last=False))))
    assert torch.equal(means.flatten(), stored.double().mean(dim=(1, 2, 3)))


def test_without_labels_there_are_no_classes_to_balance(images: Path) -> None:
    with pytest.raises(ValueError, match=r"eval_input has no labels \(csv: null\), and so no classes to balance"):
        balanced_sampler(open_dataset(images, "eval_input"))
