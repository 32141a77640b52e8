"""Writes the file of a shard example by example, and reads it back.

Layout: groups `example_0` … `example_<n-1>`, each with the datasets `image` (uint8 [1, H, W], contiguous) and, if
examples have labels, `label` (see `LabelFormat`; chunked, compressed). The file's attribute `n_examples` (int64) counts
them; its attribute `image_ids` (UTF-8, padded with zeros) names their images, all in one attribute because one for each
image would take longer than everything else. The attributes `areas` (int32 [n, classes]), `pixel_sums` (uint64 [n, 2 *
channels]) and `image_hashes` (uint64 [n]) hold what was measured of the examples, see `measure.Measures`. Where views
are recorded, `image_sizes` (int32 [n, 2]), `shown` and `valid` (int32 [n, 4]) hold them, see `maskmill.views.Views`. In
a file without examples there is only the first attribute. There are no timestamps, so that the same examples give the
same bytes.
"""

from __future__ import annotations

import io
import math
import os
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, TypeVar

import h5py
import numpy as np
from h5py import h5d, h5g, h5p, h5s, h5t

from maskmill.names import AREAS, IMAGE, IMAGE_HASHES, IMAGE_IDS, LABEL, N_EXAMPLES, PIXEL_SUMS, group_name
from maskmill.transforms.examples.make_example import ExampleArrays
from maskmill.transforms.examples.measure import Measures
from maskmill.transforms.examples.spec import ExampleFormat
from maskmill.transforms.shards.encode_example import EncodedExample
from maskmill.transforms.shards.label_compression import PIXELS_PER_BYTE, declare_compression
from maskmill.views import VIEW_ATTRIBUTES, View

# Needs HDF5 1.10 (2016) or later to read; an example takes 4 KB less than in the oldest format.
LIBVER = ("v110", "v110")
# Bounds the metadata cache of HDF5, which by default grows with the examples to 32 MB, although nothing is looked at
# again. The bytes of a large file depend on it.
_STRUCTURE_CACHE_BYTES = 2**18
# What the structure of the file takes for an example.
_STRUCTURE_BYTES = 1000

Argument = TypeVar("Argument")


def estimate_bytes(form: ExampleFormat) -> int:
    """Estimates the bytes of an example in a shard; rather too many than too few."""
    pixels = math.prod(form.size)
    planes = math.prod(form.label.shape[:-2]) if form.labelled else 0
    return form.channels * pixels + _STRUCTURE_BYTES + planes * (pixels // PIXELS_PER_BYTE)


class ShardFile:
    """A new HDF5 file to which examples are added.

    As a context manager it closes the file. Unless an exception passes, it writes the attributes that complete it.

    Args:
        path: of the new file, local.
        form: of the examples.

    Attributes:
        measures: of the examples that were added.

    Raises:
        OSError: the file cannot be created or written.
    """

    def __init__(self, path: str, form: ExampleFormat) -> None:
        self._image_ids: list[bytes] = []
        self._labelled = form.labelled
        self._views: list[View] | None = [] if form.records_views else None
        self.measures: list[Measures] = []
        self._storage = _Storage(open(path, "w+b", buffering=0))  # noqa: SIM115
        self._file = h5py.File(self._storage, "w", libver=LIBVER)
        _bound_structure_cache(self._file)
        self._group_properties = h5p.create(h5p.GROUP_CREATE)
        self._group_properties.set_obj_track_times(False)
        self._image_space = h5s.create_simple(form.image_shape)
        self._image_properties = _dataset_properties()
        self._label_space = h5s.create_simple(form.label.shape)
        self._label_type = h5t.py_create(form.label.dtype)
        self._label_properties = _dataset_properties()
        self._label_properties.set_chunk(form.label.chunk_shape)
        declare_compression(self._label_properties)

    def append(self, example: EncodedExample, image_id: str) -> None:
        """Adds an example as the next group.

        Args:
            example: in the form of the file.
            image_id: file name of its image.

        Raises:
            OSError: the file cannot be written.
        """
        name = group_name(len(self._image_ids)).encode()
        group = h5g.create(self._file.id, name, gcpl=self._group_properties)
        image = h5d.create(group, IMAGE.encode(), h5t.STD_U8LE, self._image_space, self._image_properties)
        image.write(h5s.ALL, h5s.ALL, example.image)
        if self._labelled:
            label = h5d.create(group, LABEL.encode(), self._label_type, self._label_space, self._label_properties)
            for offset, chunk in example.label_chunks:
                label.write_direct_chunk(offset, chunk)
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


class _Storage(io.RawIOBase):
    """The file beneath HDF5, which hides errors from it.

    The HDF5 library crashes the whole process when a write fails, for example because the disk is full. Therefore the
    first error is kept for `check`; from then on nothing is written, and reading gives zeros.

    Args:
        file: open. (Not a path: Python closes an object of a class of `io` even if its constructor failed, so that
            this constructor must not fail.)
    """

    def __init__(self, file: io.FileIO) -> None:
        super().__init__()
        self._file = file
        self._position = 0
        self._error: OSError | None = None

    def check(self) -> None:
        """Raises the first error of a read or write, if there was one."""
        if self._error is not None:
            raise OSError(self._error.errno, self._error.strerror, self._file.name) from self._error

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        if whence == os.SEEK_CUR:
            offset += self._position
        elif whence == os.SEEK_END:
            offset += os.fstat(self._file.fileno()).st_size
        self._position = offset
        return offset

    def tell(self) -> int:
        return self._position

    def write(self, content: Any, /) -> int:
        data = memoryview(content).cast("B")
        self._attempt(self._write_all, data)
        self._position += len(data)
        return len(data)

    def _write_all(self, data: memoryview) -> None:
        position = self._position
        while data:
            written = os.pwrite(self._file.fileno(), data, position)
            position += written
            data = data[written:]

    def readinto(self, target: Any, /) -> int:
        view = memoryview(target).cast("B")
        view[:] = bytes(len(view))
        self._attempt(self._read_into, view)
        self._position += len(view)
        return len(view)

    def _read_into(self, view: memoryview) -> None:
        content = os.pread(self._file.fileno(), len(view), self._position)
        view[: len(content)] = content

    def truncate(self, size: int | None = None, /) -> int:
        length = self._position if size is None else size
        self._attempt(self._file.truncate, length)
        return length

    def close(self) -> None:
        if not self.closed:
            self._file.close()
        super().close()

    def _attempt(self, operation: Callable[[Argument], object], argument: Argument) -> None:
        if self._error is None:
            try:
                operation(argument)
            except OSError as error:
                self._error = error


def _bound_structure_cache(file: h5py.File) -> None:
    config = file.id.get_mdc_config()
    config.set_initial_size = True
    config.initial_size = config.min_size = config.max_size = _STRUCTURE_CACHE_BYTES
    file.id.set_mdc_config(config)


def _dataset_properties() -> h5p.PropDCID:
    properties = h5p.create(h5p.DATASET_CREATE)
    properties.set_obj_track_times(False)
    properties.set_fill_time(h5d.FILL_TIME_NEVER)
    return properties


def read_shard(path: str) -> Iterator[ExampleArrays]:
    """Yields the examples of a shard, in order.

    Raises:
        OSError: the file is not HDF5, or is damaged.
        KeyError: a group or dataset is missing.
    """
    with h5py.File(path) as file:
        for index in range(int(file.attrs[N_EXAMPLES])):
            group = file[group_name(index)]
            yield ExampleArrays(group[IMAGE][()], group[LABEL][()])
