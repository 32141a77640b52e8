"""Properties of the datasets that shards consist of."""

from __future__ import annotations

from h5py import h5d, h5p


def dataset_properties(chunk_shape: tuple[int, ...] | None = None) -> h5p.PropDCID:
    """Returns properties for a new dataset, without times and without values for what is not written.

    Args:
        chunk_shape: shape of its chunks; None if it is stored in one piece.
    """
    properties = h5p.create(h5p.DATASET_CREATE)
    properties.set_obj_track_times(False)
    properties.set_fill_time(h5d.FILL_TIME_NEVER)
    if chunk_shape is not None:
        properties.set_chunk(chunk_shape)
    return properties
