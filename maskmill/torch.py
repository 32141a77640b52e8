"""Datasets and a loader for PyTorch; the extra `torch`.

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

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
import torch.distributed
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, IterableDataset, get_worker_info

from maskmill.dataset import Dataset as Examples
from maskmill.epochs import EpochPlan

# What is done with image and label, and where chance comes from, if it needs any.
Transform = Callable[[NDArray[Any], NDArray[Any], np.random.Generator], tuple[NDArray[Any], NDArray[Any]]]
Pair = tuple[Tensor, Tensor]


def _leave(image: NDArray[Any], label: NDArray[Any], _: np.random.Generator) -> tuple[NDArray[Any], NDArray[Any]]:
    return image, label


class ExampleDataset(Dataset[Pair]):
    """Map-style: image and label by position, for samplers of PyTorch and of what builds on it.

    Args:
        examples: of `open_dataset`.
        transform: of each example. Where it needs chance, the generator is one of the worker, seeded by PyTorch.
    """

    def __init__(self, examples: Examples, transform: Transform = _leave) -> None:
        self._examples = examples
        self._transform = transform

    def __len__(self) -> int:
        return len(self._examples)

    def __getitem__(self, position: int) -> Pair:
        return self.__getitems__([position])[0]

    def __getitems__(self, positions: Sequence[int]) -> list[Pair]:
        """Several at once, which is what a `DataLoader` asks for."""
        images, labels, _ = self._examples.read(list(positions))
        random = np.random.default_rng(torch.randint(2**62, (1,)).item())
        pairs = (self._transform(image, label, random) for image, label in zip(images, labels, strict=True))
        return [(_to_tensor(image), _to_tensor(label)) for image, label in pairs]


class BatchDataset(IterableDataset[Pair]):
    """Iterable: the batches of this rank, each example in one of them, and as many for every rank; see `EpochPlan`.

    A `DataLoader` takes it with `batch_size=None`, and any number of workers: the batches, and what chance does to
    them, are the same with each.

    Args:
        examples: of `open_dataset`.
        batch_size: examples of a rank in a step, at most.
        transform: of each example.
        rank: of this process among those that train together, from 0.
        world_size: number of them; without both, rank and number are those of `torch.distributed`, or 0 of 1.
        plan: the other attributes of `EpochPlan`: shuffle, buffer, seed, drop_last.

    Raises:
        ValueError: there are too few examples for a step, or there is no such rank.
    """

    def __init__(
        self,
        examples: Examples,
        batch_size: int,
        *,
        transform: Transform = _leave,
        rank: int | None = None,
        world_size: int | None = None,
        **plan: Any,
    ) -> None:
        self.rank, ranks = _place(rank, world_size)
        self.plan = EpochPlan(examples=len(examples), batch_size=batch_size, world_size=ranks, **plan)
        self._examples = examples
        self._transform = transform
        # Epoch and step at which to begin; in memory that workers share, as they may outlive an epoch.
        self._start = torch.zeros(2, dtype=torch.int64).share_memory_()

    @property
    def start(self) -> tuple[int, int]:
        """Epoch and step at which the next iteration begins."""
        epoch, step = self._start.tolist()
        return epoch, step

    @start.setter
    def start(self, start: tuple[int, int]) -> None:
        self._start.copy_(torch.tensor(start))

    def __len__(self) -> int:
        """Batches of an iteration, which begins at `start`."""
        return self.plan.steps - self.start[1]

    def __iter__(self) -> Iterator[Pair]:
        epoch, step = self.start
        worker = get_worker_info()
        first, stride = (worker.id, worker.num_workers) if worker else (0, 1)
        for positions in self.plan.batches(epoch, self.rank, step + first, stride):
            images, labels, _ = self._examples.read(positions)
            pairs = [
                # An example has the same luck whoever reads it.
                self._transform(image, label, np.random.default_rng([self.plan.seed, epoch, position]))
                for image, label, position in zip(images, labels, positions.tolist(), strict=True)
            ]
            yield tuple(_to_tensor(np.stack(arrays)) for arrays in zip(*pairs, strict=True))


class BatchLoader(DataLoader[Pair]):
    """A loader that knows how far it is, and goes on from there.

    Without `set_epoch` each iteration is the next epoch.

    Args:
        dataset: whose batches it loads.
        options: of `DataLoader`: num_workers, prefetch_factor, persistent_workers, pin_memory and so on.
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
        """Batches that are left of the epoch: of all of it before the first one, and again after the last one."""
        return self._batches.plan.steps - self._done[1]

    def set_epoch(self, epoch: int) -> None:
        """Begins with an epoch; where it is the one that was begun, goes on with it."""
        if epoch != self._done[0]:
            self._done = (epoch, 0)

    def state_dict(self) -> dict[str, Any]:
        """How far it is: after the batch that was given last."""
        epoch, step = self._done
        return {"epoch": epoch, "step": step, "plan": dict(vars(self._batches.plan))}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Goes on from a state.

        Raises:
            ValueError: it is that of a loader whose batches are others.
        """
        own = dict(vars(self._batches.plan))
        if other := {name: value for name, value in state["plan"].items() if own.get(name) != value}:
            raise ValueError(f"the state is of a loader with {other}, and this one has {own}: its batches are others")
        self._done = (state["epoch"], state["step"])


def _place(rank: int | None, world_size: int | None) -> tuple[int, int]:
    """Rank of this process, and number of ranks; see `BatchDataset`."""
    if rank is None and world_size is None:
        together = torch.distributed.is_available() and torch.distributed.is_initialized()
        return (torch.distributed.get_rank(), torch.distributed.get_world_size()) if together else (0, 1)
    if rank is None or world_size is None or not 0 <= rank < world_size:
        raise ValueError(
            f"rank is {rank} and world_size {world_size}; name both, with 0 <= rank < world_size, or neither"
        )
    return rank, world_size


def _to_tensor(array: NDArray[Any]) -> Tensor:
    # Flipped arrays have negative strides, which PyTorch does not know.
    return torch.from_numpy(np.ascontiguousarray(array))
