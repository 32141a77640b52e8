"""Computes statistics of the examples of a split."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from maskmill import DatasetError, open_dataset
from maskmill.dataset import Dataset
from maskmill.pipeline.report.class_counts import NO_DEFECT, NO_LABEL, ClassCounts
from maskmill.pipeline.report.draw_example import class_planes
from maskmill.pipeline.report.regions import count_runs_and_regions
from maskmill.statistics import Statistics, statistics_of
from maskmill.transforms.examples.measure import measure_image
from maskmill.transforms.parallel.progress import Progress
from maskmill.views import valid_part

# Number of examples that are read of a larger split, chosen at random.
MOST_EXAMPLES = 20_000
# Most columns and rows of a heat map.
HEAT_CELLS = (64, 32)
# Grey levels from the darkest to the brightest pixel of an image that shows nothing.
FLAT_RANGE = 8
_BATCH = 64


@dataclasses.dataclass(frozen=True)
class SplitStatistics:
    """Statistics of the examples of a split.

    Attributes:
        name: name of the split.
        dataset: the split, open.
        examples: number of its examples.
        positions: indices of the examples that were read.
        image_ids: names of their images; "" where the dataset does not record them.
        members: indices into `positions` of the examples with a class, by its name, and of those without a defect; or
            of those without a label.
        areas: share of the pixels of a class in each example with that class, by its name; padding does not count.
        runs: number of runs of a class in each example with that class, counted down the columns of the label.
        regions: number of connected regions of a class in each example with that class.
        brightness: mean of each channel of each example, 0 to 255, float [channels, read]; padding does not count.
        heat: float [rows, columns] by class: mean share of a cell's pixels, over the examples with that class.
        hashes: uint64 [read], 64-bit difference hash of each image.
        flat: bool [read], whether an image is of a single grey or colour.
        pixels: statistics of all examples, with the classes in the order of `areas`, or of those that were read if
            the dataset does not record them; None without examples.
        size: height and width of an example, in pixels.
    """

    name: str
    dataset: Dataset
    examples: int
    positions: NDArray[np.int64]
    image_ids: Sequence[str]
    members: Mapping[str, NDArray[np.int64]]
    areas: Mapping[str, NDArray[np.float64]]
    runs: Mapping[str, NDArray[np.int64]]
    regions: Mapping[str, NDArray[np.int64]]
    brightness: NDArray[np.float64]
    heat: Mapping[str, NDArray[np.float64]]
    hashes: NDArray[np.uint64]
    flat: NDArray[np.bool_]
    pixels: Statistics | None
    size: tuple[int, int]

    def counts(self) -> ClassCounts:
        """Counts the examples that were read, by the classes that their labels distinguish."""
        return ClassCounts(len(self.positions), {name: len(indices) for name, indices in self.members.items()})

    def together(self, one: str, other: str) -> int:
        """Returns the number of examples that were read and have both classes."""
        if one not in self.members or other not in self.members:
            return 0
        return len(np.intersect1d(self.members[one], self.members[other], assume_unique=True))


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
    found = _Found(examples, positions, names)
    for start in range(0, len(positions), _BATCH):
        chosen = positions[start : start + _BATCH]
        found.add(chosen)
        progress.add(len(chosen))
    return found.statistics(split)


class _Found:
    """What was found so far."""

    def __init__(self, examples: Dataset, positions: NDArray[np.int64], names: Sequence[str]) -> None:
        self._examples = examples
        self._positions = positions
        self._names = names
        self._image_ids: list[str] = []
        self._members: dict[str, list[int]] = {
            name: [] for name in ((*names, NO_DEFECT) if examples.labelled else (NO_LABEL,))
        }
        self._areas: dict[str, list[int]] = defaultdict(list)
        self._runs: dict[str, list[int]] = defaultdict(list)
        self._regions: dict[str, list[int]] = defaultdict(list)
        self._heat: dict[str, NDArray[np.float64]] = {}
        self._sums: list[tuple[int, ...]] = []
        self._valid_pixels: list[int] = []
        self._hashes: list[int] = []
        self._flat: list[bool] = []

    def add(self, positions: NDArray[np.int64]) -> None:
        batch = self._examples.read(positions)
        for row, image in enumerate(batch.images):
            self._add_image(valid_part(image, batch.views and batch.views.of(row)))
        places = range(len(self._image_ids), len(self._image_ids) + len(batch.images))
        if batch.labels is None:
            self._members[NO_LABEL] += places
        else:
            for place, label in zip(places, batch.labels, strict=True):
                self._add_label(place, label)
        self._image_ids += batch.image_ids

    def _add_image(self, image: NDArray[np.uint8]) -> None:
        pixel_sums, image_hash = measure_image(np.ascontiguousarray(image))
        self._sums.append(pixel_sums)
        self._valid_pixels.append(image[0].size)
        self._hashes.append(image_hash)
        self._flat.append(all(int(plane.max()) - int(plane.min()) < FLAT_RANGE for plane in image))

    def _add_label(self, place: int, label: NDArray[np.generic]) -> None:
        without = True
        for name, plane in zip(self._names, class_planes(label), strict=False):
            if plane.any():
                runs, regions = count_runs_and_regions(plane)
                self._members[name].append(place)
                self._areas[name].append(int(np.count_nonzero(plane)))
                self._runs[name].append(runs)
                self._regions[name].append(regions)
                self._heat[name] = self._heat.get(name, 0.0) + _shares_of_cells(plane)
                without = False
        if without:
            self._members[NO_DEFECT].append(place)

    def statistics(self, split: str) -> SplitStatistics:
        height, width = self._examples.image_shape[-2:] if len(self._examples) else (1, 1)
        pixels = np.array(self._valid_pixels, np.int64)
        areas = {name: np.array(self._areas[name]) / pixels[self._members[name]] for name in self._names}
        return SplitStatistics(
            split,
            self._examples,
            len(self._examples),
            self._positions,
            self._image_ids,
            {name: np.array(indices, np.int64) for name, indices in self._members.items()},
            areas,
            {name: np.array(self._runs[name], np.int64) for name in self._names},
            {name: np.array(self._regions[name], np.int64) for name in self._names},
            np.array([sums[::2] for sums in self._sums] or np.empty((0, 1))).T / pixels,
            {name: heat / len(areas[name]) for name, heat in self._heat.items()},
            np.array(self._hashes, np.uint64),
            np.array(self._flat, bool),
            self._pixels(),
            (height, width),
        )

    def _pixels(self) -> Statistics | None:
        """Returns the recorded statistics of all examples, or computes those of the ones that were read."""
        if not self._sums:
            return None
        try:
            return self._examples.statistics
        except DatasetError:
            sums = [sum(column) for column in zip(*self._sums, strict=True)]
            areas = [sum(self._areas[name]) for name in self._names]
            return statistics_of(sum(self._valid_pixels), sums, areas)


def _shares_of_cells(plane: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Divides a mask into at most `HEAT_CELLS` cells; returns the share of each one's pixels that are set."""
    rows, columns = (_edges(size, most) for size, most in zip(plane.shape, HEAT_CELLS[::-1], strict=True))
    pixels = np.add.reduceat(np.add.reduceat(plane, rows, axis=0, dtype=np.int64), columns, axis=1)
    shares: NDArray[np.float64] = pixels / np.outer(
        np.diff(rows, append=plane.shape[0]), np.diff(columns, append=plane.shape[1])
    )
    return shares


def _edges(size: int, most: int) -> NDArray[np.int64]:
    """Returns where the cells begin."""
    cells = min(size, most)
    return np.arange(cells) * size // cells
