"""Plans epochs: the order of the examples, cut into steps, and each step divided among the ranks.

Everything follows from a few numbers, so each rank computes the same plan by itself.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray


@dataclasses.dataclass(frozen=True, kw_only=True)
class EpochPlan:
    """How the examples are divided among epochs, steps and ranks.

    In an epoch each example is in exactly one batch of one rank. All ranks have the same number of batches, whose sizes
    differ by at most 1 and do not exceed `batch_size`. (If batches of 1 cannot be divided evenly, some have 2.)

    Attributes:
        examples: number of examples.
        batch_size: most examples of a rank in a step.
        world_size: number of ranks that train together.
        shuffle: whether each epoch has a random order of its own; otherwise index order.
        buffer: how far shuffling may move an example from its index; None is anywhere. A small buffer reads almost in
            index order, which helps with remote storage.
        window: number of shards whose examples are mixed, see `order_by_shards`; None does not regard shards.
        seed: of the order; the same for all ranks.
        drop_last: leaves out examples, different ones in each epoch, so that all batches have `batch_size`.
    """

    examples: int
    batch_size: int
    world_size: int = 1
    shuffle: bool = True
    buffer: int | None = None
    window: int | None = None
    seed: int = 0
    drop_last: bool = False

    def __post_init__(self) -> None:
        if self.window is not None and (self.window < 1 or self.buffer is not None):
            raise ValueError(
                f"window is {self.window} and buffer {self.buffer}; window must be 1 or more, and either of them None"
            )
        at_a_time = self.batch_size if self.drop_last else 1
        if self.batch_size < 1 or self.world_size < 1 or self.examples < self.world_size * at_a_time:
            raise ValueError(
                f"{self.examples} examples are too few for {self.world_size} ranks, each with a batch of "
                f"{at_a_time} or more at a time; use fewer ranks, or a smaller batch_size"
            )

    @property
    def steps(self) -> int:
        """Number of batches of each rank in an epoch."""
        in_step = self.world_size * self.batch_size
        if self.drop_last:
            return self.examples // in_step
        # No more than leave an example for each batch.
        return min(-(-self.examples // in_step), self.examples // self.world_size)

    def order(self, epoch: int, shards: NDArray[np.integer] | None = None) -> NDArray[np.int64]:
        """Indices of all examples in the order of an epoch.

        Args:
            epoch: number of the epoch.
            shards: index of the shard of each example, [examples]; needed with `window`.
        """
        positions = np.arange(self.examples)
        if not self.shuffle:
            return positions
        random = np.random.default_rng([self.seed, epoch])
        if self.window is not None:
            assert shards is not None
            return order_by_shards(shards, self.window, random)
        if self.buffer is None:
            return random.permutation(positions)
        # A shift smaller than the buffer keeps an example inside it.
        return np.argsort(positions + random.uniform(0, self.buffer, self.examples), kind="stable")

    def batches(
        self,
        epoch: int,
        rank: int,
        first_step: int = 0,
        stride: int = 1,
        shards: NDArray[np.integer] | None = None,
    ) -> Iterator[NDArray[np.int64]]:
        """Yields the indices of a rank's batches: those of `first_step` and every `stride`-th step after it."""
        order = self.order(epoch, shards)
        used = self.steps * self.world_size * self.batch_size if self.drop_last else self.examples
        cells = self.steps * self.world_size
        for step in range(first_step, self.steps, stride):
            cell = step * self.world_size + rank
            yield order[used * cell // cells : used * (cell + 1) // cells]


def order_by_shards(shards: NDArray[np.integer], window: int, random: np.random.Generator) -> NDArray[np.int64]:
    """Orders examples so that they are mixed, and only a few shards are in use at a time.

    The shards follow each other in a random order, and each example is moved back by a random part of `window` shards:
    at each place of the order, the next example is one of at most `window` shards, and each shard is in use for as long
    as `window` shards take. Near both ends of the order, fewer shards are mixed.

    Args:
        shards: index of the shard of each example, [n].
        window: number of shards.
        random: source of the order.

    Returns:
        indices of all examples, int64 [n].
    """
    places = random.permutation(int(shards.max(initial=-1)) + 1)
    return np.argsort(places[shards] + random.uniform(0, window, len(shards)), kind="stable")
