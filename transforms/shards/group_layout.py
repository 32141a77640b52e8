"""Writes the examples of a shard as groups `example_0` … `example_<n-1>`, the layout of the original.

Each has the datasets `image` (contiguous) and, if examples have labels, `label` (chunked, compressed).
"""

from __future__ import annotations

import h5py
from h5py import h5d, h5g, h5p, h5s, h5t

from maskmill.names import IMAGE, LABEL, group_name
from maskmill.transforms.examples.spec import ExampleFormat
from maskmill.transforms.shards.encode_example import EncodedExample
from maskmill.transforms.shards.label_compression import declare_compression
from maskmill.transforms.shards.new_dataset import dataset_properties


class GroupLayout:
    """Adds groups to a new file.

    Args:
        file: the file.
        form: of the examples.
    """

    def __init__(self, file: h5py.File, form: ExampleFormat) -> None:
        self._file = file
        self._labelled = form.labelled
        self._group_properties = h5p.create(h5p.GROUP_CREATE)
        self._group_properties.set_obj_track_times(False)
        self._image_space = h5s.create_simple(form.image_shape)
        self._image_properties = dataset_properties()
        self._label_space = h5s.create_simple(form.label.shape)
        self._label_type = h5t.py_create(form.label.dtype)
        self._label_properties = dataset_properties(form.label.chunk_shape)
        declare_compression(self._label_properties)

    def append(self, index: int, example: EncodedExample) -> None:
        """Adds an example; `index` counts them."""
        group = h5g.create(self._file.id, group_name(index).encode(), gcpl=self._group_properties)
        image = h5d.create(group, IMAGE.encode(), h5t.STD_U8LE, self._image_space, self._image_properties)
        image.write(h5s.ALL, h5s.ALL, example.image)
        if not self._labelled:
            return
        label = h5d.create(group, LABEL.encode(), self._label_type, self._label_space, self._label_properties)
        for offset, chunk in example.label_chunks:
            label.write_direct_chunk(offset, chunk)

    def finish(self, examples: int) -> None:
        """Does nothing: there are as many groups as examples."""
