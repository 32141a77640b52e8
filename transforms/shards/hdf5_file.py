"""One shard's file: written example by example, and read back.

Layout: groups `example_0` … `example_<n-1>`, each with the datasets `image` (uint8 [1, H, W], contiguous) and `label`
(see `LabelFormat`; chunked, deflate); the file's attribute `n_examples` (int64) counts them, and its attribute
`image_ids` (UTF-8, filled up with zeros) names their images: one attribute for all, as one for each would take longer
than everything else. No timestamps, so that the same examples give the same bytes.
"""

from __future__ import annotations

import io
import math
import os
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any

import h5py
import numpy as np
from h5py import h5d, h5g, h5p, h5s, h5t

from maskmill.names import IMAGE, IMAGE_IDS, LABEL, N_EXAMPLES, group_name
from maskmill.transforms.examples.label import LabelFormat
from maskmill.transforms.examples.make_example import ExampleArrays
from maskmill.transforms.shards.encode_example import EncodedExample

# What the file says of how its labels were compressed; a reader does not look at it.
DEFLATE_LEVEL = 1
# Read by HDF5 1.10 (2016) and later; an example takes 4 KB less than in the oldest format.
LIBVER = ("v110", "v110")
# How much of a file's structure HDF5 has in memory. By itself that is up to 32 MB, the more the more examples there
# are, of which nothing is looked at again. The bytes of a large file depend on it.
_STRUCTURE_CACHE_BYTES = 2**18
# What an example takes besides its image: the structure of the file, and the compressed channels of its label. Measured
# on masks like Severstal's at seven sizes from 16 x 16 to 512 x 1600, and at each of them not too low.
_STRUCTURE_BYTES = 1000
_PIXELS_PER_BYTE = 24


def estimate_bytes(form: LabelFormat) -> int:
    """About what an example takes in a shard, rather too much than too little."""
    pixels = form.height * form.width
    return pixels + _STRUCTURE_BYTES + math.prod(form.shape[:-2]) * (pixels // _PIXELS_PER_BYTE)


class ShardFile:
    """A new HDF5 file to which examples are added.

    As a context manager it closes the file, and says how many examples it has only where no exception passes.

    Args:
        path: of the new file, local.
        form: of the labels; images have the same height and width.

    Raises:
        OSError: the file cannot be made or written.
    """

    def __init__(self, path: str, form: LabelFormat) -> None:
        self._image_ids: list[bytes] = []
        self._storage = _Storage(open(path, "w+b", buffering=0))  # noqa: SIM115
        self._file = h5py.File(self._storage, "w", libver=LIBVER)
        _bound_structure_cache(self._file)
        self._group_properties = h5p.create(h5p.GROUP_CREATE)
        self._group_properties.set_obj_track_times(False)
        self._image_space = h5s.create_simple((1, form.height, form.width))
        self._image_properties = _dataset_properties()
        self._label_space = h5s.create_simple(form.shape)
        self._label_type = h5t.py_create(form.dtype)
        self._label_properties = _dataset_properties()
        self._label_properties.set_chunk(form.chunk_shape)
        self._label_properties.set_deflate(DEFLATE_LEVEL)

    def append(self, example: EncodedExample, image_id: str) -> None:
        """Adds an example as the next group.

        Args:
            example: its image and label.
            image_id: file name of its image.

        Raises:
            OSError: the file cannot be written.
        """
        name = group_name(len(self._image_ids)).encode()
        group = h5g.create(self._file.id, name, gcpl=self._group_properties)
        image = h5d.create(group, IMAGE.encode(), h5t.STD_U8LE, self._image_space, self._image_properties)
        image.write(h5s.ALL, h5s.ALL, example.image)
        label = h5d.create(group, LABEL.encode(), self._label_type, self._label_space, self._label_properties)
        for offset, chunk in example.label_chunks:
            label.write_direct_chunk(offset, chunk)
        self._image_ids.append(image_id.encode())
        self._storage.check()

    def __enter__(self) -> ShardFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self._file.attrs[N_EXAMPLES] = np.int64(len(self._image_ids))
            self._name_images()
        self._file.close()
        self._storage.close()
        if error is None:
            self._storage.check()

    def _name_images(self) -> None:
        if self._image_ids:
            ids = np.array(self._image_ids)
            self._file.attrs.create(IMAGE_IDS, ids, dtype=h5py.string_dtype("utf-8", ids.dtype.itemsize))


class _Storage(io.RawIOBase):
    """The file below HDF5, which never tells HDF5 of an error.

    The HDF5 library crashes the whole process when a write fails, for example on a full disk. So the first error is
    kept for `check`; from then on nothing is written, and what would have to be read back is zeros.

    Args:
        file: opened by the caller. Python closes an object of a class of `io` even if its constructor has failed, so
            that this one does nothing that can fail.
    """

    def __init__(self, file: io.FileIO) -> None:
        super().__init__()
        self._file = file
        self._position = 0
        self._error: OSError | None = None

    def check(self) -> None:
        """Raises the first error that a write met."""
        if self._error is not None:
            raise OSError(self._error.errno, self._error.strerror, self._file.name) from self._error

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: os.fstat(self._file.fileno()).st_size}
        self._position = base[whence] + offset
        return self._position

    def tell(self) -> int:
        return self._position

    def write(self, content: Any, /) -> int:
        data = memoryview(content).cast("B")
        self._attempt(lambda: self._write_all(data))
        self._position += len(data)
        return len(data)

    def _write_all(self, data: memoryview) -> None:
        self._file.seek(self._position)
        while data:
            data = data[self._file.write(data) :]

    def readinto(self, target: Any, /) -> int:
        view = memoryview(target).cast("B")
        view[:] = bytes(len(view))
        self._attempt(lambda: self._read_into(view))
        self._position += len(view)
        return len(view)

    def _read_into(self, view: memoryview) -> None:
        self._file.seek(self._position)
        content = self._file.read(len(view)) or b""
        view[: len(content)] = content

    def truncate(self, size: int | None = None, /) -> int:
        length = self._position if size is None else size
        self._attempt(lambda: self._file.truncate(length))
        return length

    def close(self) -> None:
        if not self.closed:
            self._file.close()
        super().close()

    def _attempt(self, operation: Callable[[], object]) -> None:
        if self._error is None:
            try:
                operation()
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
    """Examples of a shard, in order.

    Raises:
        OSError: the file is not HDF5, or damaged.
        KeyError: a group or dataset is missing.
    """
    with h5py.File(path) as file:
        for index in range(int(file.attrs[N_EXAMPLES])):
            group = file[group_name(index)]
            yield ExampleArrays(group[IMAGE][()], group[LABEL][()])
