"""Provides datasets and a resumable loader for PyTorch.

from maskmill import open_dataset
from maskmill.torch import BatchDataset, BatchLoader

examples = open_dataset("severstal_hdf5", label_dtype="uint8")
loader = BatchLoader(BatchDataset(examples, batch_size=32), num_workers=2)
for epoch in range(10):
    loader.set_epoch(epoch)
    for images, labels in loader:
        ...
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np
import torch
import torch.distributed
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, IterableDataset, WeightedRandomSampler, get_worker_info

from maskmill.dataset import Batch
from maskmill.dataset import Dataset as Examples
from maskmill.epochs import EpochPlan
from maskmill.views import mark_padding

# Called with image, label, and a source of random numbers.
Transform = Callable[[NDArray[Any], NDArray[Any], np.random.Generator], tuple[NDArray[Any], NDArray[Any]]]
Pair = tuple[Tensor, Tensor]


# Image and label; the image alone, if examples have no labels.
Item: TypeAlias = "Pair | Tensor"


def _leave(image: NDArray[Any], label: NDArray[Any], _: np.random.Generator) -> tuple[NDArray[Any], NDArray[Any]]:
    return image, label


def _check_padding(padding: float | None, examples: Examples) -> None:
    if padding is not None and np.array(padding).astype(examples.label_dtype) != padding:
        raise ValueError(f"padding is {padding}, which labels of {examples.label_dtype} cannot hold; take 255")


def _mark_padding(batch: Batch, padding: float | None) -> None:
    if padding is not None and batch.views is not None:
        mark_padding(batch.labels, batch.views, padding)


class ExampleDataset(Dataset[Item]):
    """A map-style dataset of (image, label), for the samplers of PyTorch and of libraries built on it.

    Of examples without labels it gives the images alone; `transform` then gets None for the label.

    Args:
        examples: result of `open_dataset`.
        transform: applied to each example; its generator is seeded by PyTorch in each worker.
        padding: value that labels get where the image is padded, before the transform; see `BatchDataset`.

    Raises:
        ValueError: labels cannot hold the value of `padding`.
    """

    def __init__(self, examples: Examples, transform: Transform = _leave, *, padding: float | None = None) -> None:
        _check_padding(padding, examples)
        self._examples = examples
        self._transform = transform
        self._padding = padding

    def __len__(self) -> int:
        return len(self._examples)

    def __getitem__(self, position: int) -> Item:
        return self.__getitems__([position])[0]

    def __getitems__(self, positions: Sequence[int]) -> list[Item]:
        """Reads several examples at once; `DataLoader` calls this."""
        batch = self._examples.read(list(positions))
        _mark_padding(batch, self._padding)
        random = np.random.default_rng(torch.randint(2**62, (1,)).item())
        return [_to_tensors(self._transform(image, label, random)) for image, label in _pairs_of(batch)]


class BatchDataset(IterableDataset[Item]):
    """An iterable dataset of this rank's batches; each example is in one of them, see `EpochPlan`.

    Pass it to a `DataLoader` with `batch_size=None`. Batches and their random augmentation are the same with any number
    of workers. Of examples without labels, a batch is the images alone.

    Args:
        examples: result of `open_dataset`.
        batch_size: most examples of a rank in a step.
        transform: applied to each example.
        rank: of this process, from 0.
        world_size: number of ranks. Without rank and world_size, those of `torch.distributed` count, or 0 and 1.
        padding: value that labels get where the image is padded, before the transform, so that a loss can leave these
            pixels out; None leaves them background. It has no effect on datasets without padding.
        plan: the other attributes of `EpochPlan`: shuffle, buffer, window, seed, drop_last.

    Raises:
        ValueError: there are too few examples for a step, the rank is out of range, or labels cannot hold the value of
            `padding`.
    """

    def __init__(
        self,
        examples: Examples,
        batch_size: int,
        *,
        transform: Transform = _leave,
        rank: int | None = None,
        world_size: int | None = None,
        padding: float | None = None,
        **plan: Any,
    ) -> None:
        _check_padding(padding, examples)
        self.rank, ranks = _place(rank, world_size)
        self.plan = EpochPlan(examples=len(examples), batch_size=batch_size, world_size=ranks, **plan)
        self._examples = examples
        self._transform = transform
        self._padding = padding
        # Epoch and step to begin at; in shared memory, because workers may outlive an epoch.
        self._start = torch.zeros(2, dtype=torch.int64).share_memory_()

    @property
    def start(self) -> tuple[int, int]:
        """Epoch and step that the next iteration begins at."""
        epoch, step = self._start.tolist()
        return epoch, step

    @start.setter
    def start(self, start: tuple[int, int]) -> None:
        self._start.copy_(torch.tensor(start))

    def __len__(self) -> int:
        """Number of batches that an iteration from `start` yields."""
        return self.plan.steps - self.start[1]

    def __iter__(self) -> Iterator[Item]:
        epoch, step = self.start
        worker = get_worker_info()
        first, stride = (worker.id, worker.num_workers) if worker else (0, 1)
        shards = self._examples.shard_numbers
        steps = list(self.plan.batches(epoch, self.rank, step + first, stride, shards))
        for positions, batch in zip(steps, self._examples.read_each(steps), strict=True):
            _mark_padding(batch, self._padding)
            pairs = [
                # The same random augmentation for an example, whichever worker reads it.
                self._transform(image, label, np.random.default_rng([self.plan.seed, epoch, position]))
                for (image, label), position in zip(_pairs_of(batch), positions.tolist(), strict=True)
            ]
            images, labels = zip(*pairs, strict=True)
            yield _to_tensors((np.stack(images), np.stack(labels) if self._examples.labelled else None))


def balanced_sampler(examples: Examples, num_samples: int | None = None, *, seed: int = 0) -> WeightedRandomSampler:
    """Makes a sampler that draws each class, and examples without a defect, equally often.

    The groups are the examples with pixels of a class, for each class, and those without a pixel of any. A draw is one
    of the groups, all of them equally likely, and then one of its examples, which may be drawn again. The weight of an
    example is therefore the sum of 1 / n over its groups, where a group has n examples. An example of several classes
    is in several groups; empty groups do not count.

    Pass it to a `DataLoader` of an `ExampleDataset`, as `sampler`. Each iteration draws others.

    Args:
        examples: result of `open_dataset`, or a part of it.
        num_samples: number of draws in an epoch; None is the number of examples.
        seed: of the draws.

    Raises:
        DatasetError: the dataset records no areas; see `Dataset.areas`.
        ValueError: there are no examples, or they have no labels.
    """
    if not examples.labelled:
        raise ValueError(f"{examples.path}: {examples.split} has no labels (csv: null), and so no classes to balance")
    if not len(examples):
        raise ValueError(f"{examples.path}: {examples.split}, or this part of it, has no examples to draw from")
    weights = _balanced_weights(examples.areas > 0)
    generator = torch.Generator().manual_seed(seed)
    return WeightedRandomSampler(weights.tolist(), num_samples or len(examples), generator=generator)


def _balanced_weights(has: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Computes the weights of `balanced_sampler`, given which examples have which classes, bool [n, classes]."""
    groups = np.column_stack([has, ~has.any(axis=1)])
    sizes = np.maximum(groups.sum(axis=0), 1)
    return np.asarray((groups / sizes).sum(axis=1), np.float64)


class BatchLoader(DataLoader[Item]):
    """A loader that can save its place in an epoch, and resume there.

    Without `set_epoch` each iteration is the next epoch.

    Args:
        dataset: yields the batches.
        options: those of `DataLoader`: num_workers, prefetch_factor, persistent_workers, pin_memory and so on.
    """

    def __init__(self, dataset: BatchDataset, **options: Any) -> None:
        super().__init__(dataset, batch_size=None, **options)
        self._batches = dataset
        self._done = dataset.start

    def __iter__(self) -> Any:
        epoch, step = self._batches.start = self._done
        for batch in super().__iter__():
            step += 1
            self._done = (epoch, step) if step < self._batches.plan.steps else (epoch + 1, 0)
            yield batch

    def __len__(self) -> int:
        """Number of batches left in the epoch; that of a whole one before the first batch and after the last."""
        return self._batches.plan.steps - self._done[1]

    def set_epoch(self, epoch: int) -> None:
        """Begins an epoch; continues it if it has begun already."""
        if epoch != self._done[0]:
            self._done = (epoch, 0)

    def state_dict(self) -> dict[str, Any]:
        """Returns the place after the last batch that was yielded."""
        epoch, step = self._done
        return {"epoch": epoch, "step": step, "plan": dict(vars(self._batches.plan))}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Resumes at the place of a state.

        Raises:
            ValueError: the state is of a loader with other batches.
        """
        own, saved = dict(vars(self._batches.plan)), state["plan"]
        # A state of an earlier version lacks attributes that had no effect.
        if other := {name: saved.get(name) for name, value in own.items() if saved.get(name) != value}:
            raise ValueError(f"the state is of a loader with {other}, but this one has {own}: its batches differ")
        self._done = (state["epoch"], state["step"])


def _place(rank: int | None, world_size: int | None) -> tuple[int, int]:
    """Returns the rank of this process, and the number of ranks; see `BatchDataset`."""
    if rank is None and world_size is None:
        together = torch.distributed.is_available() and torch.distributed.is_initialized()
        return (torch.distributed.get_rank(), torch.distributed.get_world_size()) if together else (0, 1)
    if rank is None or world_size is None or not 0 <= rank < world_size:
        raise ValueError(
            f"rank is {rank} and world_size {world_size}; name both, with 0 <= rank < world_size, or neither"
        )
    return rank, world_size


def _pairs_of(batch: Batch) -> Iterator[tuple[NDArray[Any], Any]]:
    """Yields image and label of each example; None for the label if there are none."""
    labels = itertools.repeat(None, len(batch.images)) if batch.labels is None else batch.labels
    return zip(batch.images, labels, strict=True)


def _to_tensors(pair: tuple[NDArray[Any], NDArray[Any] | None]) -> Item:
    image, label = pair
    return _to_tensor(image) if label is None else (_to_tensor(image), _to_tensor(label))


def _to_tensor(array: NDArray[Any]) -> Tensor:
    # Flipped arrays have negative strides, which PyTorch does not support.
    return torch.from_numpy(np.ascontiguousarray(array))
