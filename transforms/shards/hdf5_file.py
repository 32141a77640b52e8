"""Writes the file of a shard example by example, and reads it back.

`group_layout` and `array_layout` write the arrays of the examples. The file's attribute `n_examples` (int64) counts
them; its attribute `image_ids` (UTF-8, padded with zeros) names their images, all in one attribute because one for each
image would take longer than everything else. The attributes `areas` (int32 [n, classes]), `pixel_sums`
(uint64 [n, 2 * channels]) and `image_hashes` (uint64 [n]) hold what was measured of the examples, see
`measure.Measures`. Where views are recorded, `image_sizes` (int32 [n, 2]), `shown` and `valid` (int32 [n, 4]) hold
them, see `maskmill.views.Views`. In a file without examples there is only the first attribute. There are no timestamps,
so that the same examples give the same bytes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from types import TracebackType

import h5py
import numpy as np

from maskmill.names import AREAS, ARRAYS, IMAGE, IMAGE_HASHES, IMAGE_IDS, LABEL, N_EXAMPLES, PIXEL_SUMS
from maskmill.stored_array import stored_array
from maskmill.transforms.examples.make_example import ExampleArrays
from maskmill.transforms.examples.measure import Measures
from maskmill.transforms.examples.spec import ExampleFormat
from maskmill.transforms.shards.array_layout import ArrayLayout
from maskmill.transforms.shards.encode_example import EncodedExample
from maskmill.transforms.shards.group_layout import GroupLayout
from maskmill.transforms.shards.hdf5_storage import Storage
from maskmill.transforms.shards.label_compression import PIXELS_PER_BYTE
from maskmill.views import VIEW_ATTRIBUTES, View

# Needs HDF5 1.10 (2016) or later to read; an example takes 4 KB less than in the oldest format.
LIBVER = ("v110", "v110")
# Bounds the metadata cache of HDF5, which by default grows with the examples to 32 MB, although nothing is looked at
# again. The bytes of a large file depend on it.
_STRUCTURE_CACHE_BYTES = 2**18
# What the structure of the file takes for an example; for a row rather too much, because of what it takes for the file.
_BYTES_OF_GROUP, _BYTES_OF_ROW = 1000, 200


def estimate_bytes(form: ExampleFormat) -> int:
    """Estimates the bytes of an example in a shard; rather too many than too few."""
    structure = _BYTES_OF_ROW if form.layout == ARRAYS else _BYTES_OF_GROUP
    channels = math.prod(form.label.shape[:-2]) if form.labelled else 0
    return math.prod(form.image_shape) + structure + channels * (math.prod(form.size) // PIXELS_PER_BYTE)


class ShardFile:
    """A new HDF5 file to which examples are added.

    As a context manager it closes the file. Unless an exception passes, it writes the attributes that complete it.

    Args:
        path: of the new file, local.
        form: of the examples.
        most: number of examples at most; the layout `groups` takes any number.

    Attributes:
        measures: of the examples that were added.

    Raises:
        OSError: the file cannot be created or written.
    """

    def __init__(self, path: str, form: ExampleFormat, most: int = 0) -> None:
        self._image_ids: list[bytes] = []
        self._views: list[View] | None = [] if form.records_views else None
        self.measures: list[Measures] = []
        self._storage = Storage(open(path, "w+b", buffering=0))  # noqa: SIM115
        self._file = h5py.File(self._storage, "w", libver=LIBVER)
        _bound_structure_cache(self._file)
        in_rows = form.layout == ARRAYS
        self._layout = ArrayLayout(self._file, form, most) if in_rows else GroupLayout(self._file, form)

    def append(self, example: EncodedExample, image_id: str) -> None:
        """Adds the next example.

        Args:
            example: in the form of the file.
            image_id: file name of its image.

        Raises:
            OSError: the file cannot be written.
        """
        self._layout.append(len(self._image_ids), example)
        self._image_ids.append(image_id.encode())
        self.measures.append(example.measures)
        if self._views is not None:
            self._views.append(example.view)
        self._storage.check()

    def __enter__(self) -> ShardFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self._layout.finish(len(self._image_ids))
            self._file.attrs[N_EXAMPLES] = np.int64(len(self._image_ids))
            if self._image_ids:
                self._describe_examples()
        self._file.close()
        self._storage.close()
        if error is None:
            self._storage.check()

    def _describe_examples(self) -> None:
        ids = np.array(self._image_ids)
        self._file.attrs.create(IMAGE_IDS, ids, dtype=h5py.string_dtype("utf-8", ids.dtype.itemsize))
        areas, pixel_sums, image_hashes = zip(*self.measures, strict=True)
        self._file.attrs[AREAS] = np.array(areas, "<i4")
        self._file.attrs[PIXEL_SUMS] = np.array(pixel_sums, "<u8")
        self._file.attrs[IMAGE_HASHES] = np.array(image_hashes, "<u8")
        if self._views:
            for name, numbers in zip(VIEW_ATTRIBUTES, zip(*self._views, strict=True), strict=True):
                self._file.attrs[name] = np.array(numbers, "<i4")


def _bound_structure_cache(file: h5py.File) -> None:
    config = file.id.get_mdc_config()
    config.set_initial_size = True
    config.initial_size = config.min_size = config.max_size = _STRUCTURE_CACHE_BYTES
    file.id.set_mdc_config(config)


def read_shard(path: str) -> Iterator[ExampleArrays]:
    """Yields the examples of a shard, in order.

    Raises:
        OSError: the file is not HDF5, or is damaged.
        KeyError: a group or dataset is missing.
    """
    with h5py.File(path) as file:
        for index in range(int(file.attrs[N_EXAMPLES])):
            yield ExampleArrays(*(stored_array(file, index, name).read() for name in (IMAGE, LABEL)))
