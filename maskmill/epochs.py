"""Which examples are read when: an order for each epoch, cut into steps, and each step among those who train together.

All of it follows from a few numbers, so that everybody works it out alone, and comes to the same.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray


@dataclasses.dataclass(frozen=True, kw_only=True)
class EpochPlan:
    """How the examples are divided.

    Every example is in one batch of an epoch, of one rank, and every rank has the same number of batches, whose sizes
    differ by 1 at most. They have at most `batch_size` examples; where batches of 1 example do not come out even, some
    have 2.

    Attributes:
        examples: number of them.
        batch_size: examples of a rank in a step, at most.
        world_size: number of ranks, which train together.
        shuffle: whether each epoch has an order of its own, or that of the positions.
        buffer: how far from its position an example may be moved by shuffling; None is anywhere. Who reads from afar
            reads nearly in the order of the positions then.
        seed: of the order, the same for all ranks.
        drop_last: leaves out as many examples, others in each epoch, that all batches have `batch_size`.
    """

    examples: int
    batch_size: int
    world_size: int = 1
    shuffle: bool = True
    buffer: int | None = None
    seed: int = 0
    drop_last: bool = False

    def __post_init__(self) -> None:
        at_a_time = self.batch_size if self.drop_last else 1
        if self.batch_size < 1 or self.world_size < 1 or self.examples < self.world_size * at_a_time:
            raise ValueError(
                f"{self.examples} examples are too few for {self.world_size} ranks, each with a batch of "
                f"{at_a_time} or more at a time; use fewer ranks, or a smaller batch_size"
            )

    @property
    def steps(self) -> int:
        """Batches of each rank in an epoch."""
        in_step = self.world_size * self.batch_size
        if self.drop_last:
            return self.examples // in_step
        # Never so many that a batch would be empty.
        return min(-(-self.examples // in_step), self.examples // self.world_size)

    def order(self, epoch: int) -> NDArray[np.int64]:
        """Positions of all examples in the order of an epoch."""
        positions = np.arange(self.examples)
        if not self.shuffle:
            return positions
        random = np.random.default_rng([self.seed, epoch])
        if self.buffer is None:
            return random.permutation(positions)
        # Who is moved by less than the buffer's length stays within it of where it was.
        return np.argsort(positions + random.uniform(0, self.buffer, self.examples), kind="stable")

    def batches(self, epoch: int, rank: int, first_step: int = 0, stride: int = 1) -> Iterator[NDArray[np.int64]]:
        """Positions of a rank's batches, from a step on, and of each `stride`-th step only."""
        order = self.order(epoch)
        used = self.steps * self.world_size * self.batch_size if self.drop_last else self.examples
        cells = self.steps * self.world_size
        for step in range(first_step, self.steps, stride):
            cell = step * self.world_size + rank
            yield order[used * cell // cells : used * (cell + 1) // cells]
