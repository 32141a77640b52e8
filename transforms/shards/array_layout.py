"""Writes the examples of a shard as the rows of two datasets, for readers of rows.

`images` is uint8 [n, channels, H, W], each row a chunk without a filter; `labels`, if examples have labels, is [n, …]
with the dtype and shape of a label, each row a compressed chunk, or several if it is larger than a chunk may be. Their
chunks follow each other as the examples do.

The number of examples at most is given when the datasets are created: HDF5 then keeps where the chunks are in one place
at the beginning of the file (a "fixed array"), which a reader fetches at once. It takes 40 bytes an example, the
attributes included, where a group takes 750.
"""

from __future__ import annotations

import h5py
from h5py import h5d, h5p, h5s, h5t

from maskmill.names import IMAGE, LABEL, ROWS_OF
from maskmill.transforms.examples.spec import ExampleFormat
from maskmill.transforms.shards.encode_example import EncodedExample
from maskmill.transforms.shards.label_compression import declare_compression
from maskmill.transforms.shards.new_dataset import dataset_properties


class ArrayLayout:
    """Adds rows to the datasets of a new file.

    Args:
        file: the file.
        form: of the examples.
        most: number of examples at most.
    """

    def __init__(self, file: h5py.File, form: ExampleFormat, most: int) -> None:
        self._most = most
        image_properties = dataset_properties((1, *form.image_shape))
        label_properties = dataset_properties((1, *form.label_chunk_shape))
        declare_compression(label_properties)
        self._images = self._create(file, IMAGE, h5t.STD_U8LE, form.image_shape, image_properties)
        self._labels: h5d.DatasetID | None = None
        if form.labelled:
            label_type = h5t.py_create(form.label.dtype)
            self._labels = self._create(file, LABEL, label_type, form.label.shape, label_properties)
        self._first_row = (0,) * len(form.image_shape)

    def append(self, index: int, example: EncodedExample) -> None:
        """Adds an example; `index` counts them.

        Raises:
            ValueError: there are more than were to come. HDF5 would write it where no reader looks.
        """
        if index >= self._most:
            raise ValueError(f"{self._most} examples were to come at most, and here is one more")
        self._images.write_direct_chunk((index, *self._first_row), example.image)
        if self._labels is None:
            return
        for offset, chunk in example.label_chunks:
            self._labels.write_direct_chunk((index, *offset), chunk)

    def finish(self, examples: int) -> None:
        """Drops the rows that got no example."""
        if examples < self._most:
            for dataset in filter(None, (self._images, self._labels)):
                dataset.set_extent((examples, *dataset.shape[1:]))

    def _create(
        self, file: h5py.File, name: str, dtype: h5t.TypeID, shape: tuple[int, ...], properties: h5p.PropDCID
    ) -> h5d.DatasetID:
        # A chunk must not be larger than the dataset can become.
        space = h5s.create_simple((self._most, *shape), (max(self._most, 1), *shape))
        return h5d.create(file.id, ROWS_OF[name].encode(), dtype, space, properties)
