"""Reads the measures of a split's examples: attributes of its shards, without their images and labels."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import h5py
import numpy as np
from numpy.typing import NDArray

from maskmill.catalog import Shard
from maskmill.errors import DatasetError
from maskmill.folder import Folder
from maskmill.names import AREAS, IMAGE, IMAGE_HASHES, IMAGE_IDS, PIXEL_SUMS
from maskmill.positions import places_of
from maskmill.shard_index import DAMAGE, is_of_system
from maskmill.statistics import Statistics, statistics_of
from maskmill.stored_array import stored_array
from maskmill.views import Views, recorded_views

# The first format version with these attributes.
FIRST_FORMAT = 6
# What a request to a store fetches; 16 MB, as for reading examples, would fetch them, too.
_BLOCK_BYTES = 2**16


class SplitMeasures(NamedTuple):
    """Measures of examples, in the order of their indices.

    Attributes:
        areas: number of pixels of each class, int32 [n, classes].
        pixel_sums: for each channel, sum of the pixels of the image, and sum of their squares, uint64
            [n, 2 * channels].
        image_hashes: difference hash of the image, uint64 [n].
        image_ids: file name of the image, UTF-8, bytes [n].
        pixels: number of pixels of a channel of an image; 0 if there are no examples.
        views: what the examples show of their image files; None if the shards do not record it.
    """

    areas: NDArray[np.int32]
    pixel_sums: NDArray[np.uint64]
    image_hashes: NDArray[np.uint64]
    image_ids: NDArray[np.bytes_]
    pixels: int
    views: Views | None = None

    def part(self, positions: NDArray[np.int64]) -> SplitMeasures:
        """Selects examples by index."""
        return SplitMeasures(
            self.areas[positions],
            self.pixel_sums[positions],
            self.image_hashes[positions],
            self.image_ids[positions],
            self.pixels,
            self.views and self.views.part(positions),
        )

    def statistics(self) -> Statistics:
        """Computes the statistics of the examples, of which there must be some."""
        pixel_sums, areas = self.pixel_sums.sum(axis=0), self.areas.sum(axis=0, dtype=np.int64)
        # Where views are recorded, neither padding nor what repeats the image is measured.
        pixels = len(self.areas) * self.pixels if self.views is None else int(self.views.valid_pixels.sum())
        return statistics_of(pixels, pixel_sums.tolist(), areas.tolist())


def read_measures(folder: Folder, shards: Sequence[Shard]) -> SplitMeasures:
    """Reads the measures of all examples of a split.

    Args:
        folder: folder of the dataset.
        shards: of the split, in order.

    Raises:
        DatasetError: a shard has none, because an earlier maskmill or create_hdf5_files.py wrote it; or it is damaged,
            or was replaced.
    """
    filled = [shard for shard in shards if shard.examples]
    if not filled:
        areas, pixel_sums = np.empty((0, 0), np.int32), np.empty((0, 2), np.uint64)
        return SplitMeasures(areas, pixel_sums, np.empty(0, np.uint64), np.empty(0, np.bytes_), 0)
    pixels = read_hdf5(folder, filled[0], _pixels_of_image)
    of_shards = [read_hdf5(folder, shard, _arrays_of) for shard in filled]
    areas, pixel_sums, image_hashes, image_ids, *views = map(np.concatenate, zip(*of_shards, strict=True))
    places = places_of(shards)
    begins = np.cumsum([0, *(shard.examples for shard in shards)], dtype=np.int64)
    of_split = SplitMeasures(areas, pixel_sums, image_hashes, image_ids, pixels, Views(*views) if views else None)
    return of_split.part(begins[places[:, 0]] + places[:, 1])


def read_hdf5(folder: Folder, shard: Shard, read: Callable[[h5py.File, Shard], Any]) -> Any:
    """Reads something small of a shard with HDF5.

    Raises:
        DatasetError: the shard is damaged, or was replaced; or as `read`.
    """
    try:
        with contextlib.closing(folder.open(shard.path)) as opened:
            if shard.bytes not in (None, opened.size()):
                raise DatasetError(f"{shard.path} was replaced after the dataset was opened; open it again")
            with opened.for_hdf5(_BLOCK_BYTES) as file, h5py.File(file) as hdf5:
                return read(hdf5, shard)
    except DAMAGE as error:
        if is_of_system(error):
            raise
        raise DatasetError(f"{shard.path} is damaged ({error}); copy the dataset again, or make it again") from error


def _arrays_of(file: h5py.File, shard: Shard) -> list[NDArray[Any]]:
    if AREAS not in file.attrs:
        raise DatasetError(
            f"{shard.path} has no {AREAS}: create_hdf5_files.py, or a maskmill before format version {FIRST_FORMAT}, "
            "wrote it; make the dataset again with this maskmill (maskmill create)"
        )
    arrays = {name: file.attrs[name] for name in (AREAS, PIXEL_SUMS, IMAGE_HASHES)}
    arrays[IMAGE_IDS] = np.array([bytes(name) for name in file.attrs[IMAGE_IDS]])
    for name, array in arrays.items():
        if len(array) != shard.examples:
            raise ValueError(f"it has {len(array)} {name} instead of {shard.examples}")
    return [*arrays.values(), *(recorded_views(file.attrs, shard.examples) or ())]


def _pixels_of_image(file: h5py.File, _: Shard) -> int:
    return math.prod(stored_array(file, 0, IMAGE).shape[-2:])
