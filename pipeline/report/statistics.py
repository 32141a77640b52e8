"""Computes statistics of the examples of a split."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from maskmill import open_dataset
from maskmill.dataset import Dataset
from maskmill.pipeline.report.class_counts import NO_DEFECT, ClassCounts
from maskmill.pipeline.report.draw_example import class_planes
from maskmill.transforms.parallel.progress import Progress

# Number of examples that are read of a larger split, chosen at random.
MOST_EXAMPLES = 20_000
# Most columns and rows of the heat map.
HEAT_CELLS = (64, 32)
_BATCH = 64


@dataclasses.dataclass(frozen=True)
class SplitStatistics:
    """Statistics of the examples of a split.

    Attributes:
        name: name of the split.
        examples: number of its examples.
        positions: indices of the examples that were read.
        members: indices into `positions` of the examples with a class, by its name, and of those without a defect.
        areas: share of the pixels of a class in each example with that class, by its name.
        runs: number of runs of a class in each example with that class, counted down the columns of the label.
        brightness: mean grey of each example, 0 to 255.
        heat: float [rows, columns]: mean share of a cell's pixels that have any class.
        size: height and width of an example, in pixels.
    """

    name: str
    examples: int
    positions: NDArray[np.int64]
    members: Mapping[str, NDArray[np.int64]]
    areas: Mapping[str, NDArray[np.float64]]
    runs: Mapping[str, NDArray[np.int64]]
    brightness: NDArray[np.float64]
    heat: NDArray[np.float64]
    size: tuple[int, int]

    def counts(self) -> ClassCounts:
        """Counts the examples that were read, by the classes that their labels distinguish."""
        return ClassCounts(len(self.positions), {name: len(indices) for name, indices in self.members.items()})


def look_at_split(directory: str, split: str, names: Sequence[str], progress: Progress, seed: int) -> SplitStatistics:
    """Reads the examples of a split.

    Args:
        directory: folder of the dataset.
        split: name of the split.
        names: names of the classes that its labels distinguish, in their order.
        progress: counts the examples.
        seed: of the choice, if not all examples are read.

    Raises:
        DatasetError: the dataset is not whole.
        OSError: it cannot be read.
    """
    examples = open_dataset(directory, split)
    positions = np.arange(len(examples))
    if len(examples) > MOST_EXAMPLES:
        positions = np.sort(np.random.default_rng(seed).permutation(len(examples))[:MOST_EXAMPLES])
    found = _Found(names)
    for start in range(0, len(positions), _BATCH):
        chosen = positions[start : start + _BATCH]
        found.add(examples, chosen)
        progress.add(len(chosen))
    return found.statistics(split, len(examples), positions, _size_of(examples))


def _size_of(examples: Dataset) -> tuple[int, int]:
    height, width = examples.image_shape[-2:] if len(examples) else (1, 1)
    return height, width


class _Found:
    """What was found so far."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names
        self._members: dict[str, list[int]] = {name: [] for name in (*names, NO_DEFECT)}
        self._areas: dict[str, list[float]] = defaultdict(list)
        self._runs: dict[str, list[int]] = defaultdict(list)
        self._brightness: list[float] = []
        self._heat: NDArray[np.float64] | None = None

    def add(self, examples: Dataset, positions: NDArray[np.int64]) -> None:
        images, labels, _ = examples.read(positions)
        self._brightness += images.mean(axis=(1, 2, 3), dtype=np.float64).tolist()
        for label in labels:
            planes = class_planes(label)
            anywhere = np.zeros(label.shape[-2:], bool)
            for name, plane in zip(self._names, planes, strict=False):
                if plane.any():
                    self._members[name].append(self._looked_at)
                    self._areas[name].append(float(plane.mean()))
                    self._runs[name].append(_count_runs(plane))
                    anywhere |= plane
            if not anywhere.any():
                self._members[NO_DEFECT].append(self._looked_at)
            self._add_heat(anywhere)
            self._looked_at += 1

    _looked_at = 0

    def _add_heat(self, plane: NDArray[np.bool_]) -> None:
        rows, columns = (_edges(size, most) for size, most in zip(plane.shape, HEAT_CELLS[::-1], strict=True))
        if self._heat is None:
            self._heat = np.zeros((len(rows), len(columns)))
        if plane.any():
            pixels = np.add.reduceat(np.add.reduceat(plane, rows, axis=0, dtype=np.int64), columns, axis=1)
            areas = np.outer(np.diff(rows, append=plane.shape[0]), np.diff(columns, append=plane.shape[1]))
            self._heat += pixels / areas

    def statistics(
        self, name: str, examples: int, positions: NDArray[np.int64], size: tuple[int, int]
    ) -> SplitStatistics:
        heat = np.zeros((1, 1)) if self._heat is None else self._heat / max(self._looked_at, 1)
        return SplitStatistics(
            name,
            examples,
            positions,
            {key: np.array(indices, np.int64) for key, indices in self._members.items()},
            {key: np.array(self._areas[key]) for key in self._names},
            {key: np.array(self._runs[key], np.int64) for key in self._names},
            np.array(self._brightness),
            heat,
            size,
        )


def _edges(size: int, most: int) -> NDArray[np.int64]:
    """Returns where the cells begin."""
    cells = min(size, most)
    return np.arange(cells) * size // cells


def _count_runs(plane: NDArray[np.bool_]) -> int:
    down = plane.T.ravel()
    return int(np.count_nonzero(down[1:] & ~down[:-1])) + int(down[0])
