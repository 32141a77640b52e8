"""Positions of a split's examples: in which shard each lies, and where there.

maskmill and create_hdf5_files.py deal the examples of a range of positions out to the shards of the range in turn, the
ranges one after the other. The same order is that of the positions here: the first examples of all shards of a range,
then the second ones, and so on. Where nothing was rejected it is the order of the CSV.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from maskmill.catalog import Shard


def places_of(shards: Sequence[Shard]) -> NDArray[np.int32]:
    """Where the examples lie, by position.

    Args:
        shards: of the split, in order.

    Returns:
        int32 [examples, 2]: the shard's index in `shards`, the example's number in the shard.
    """
    counts = np.array([shard.examples for shard in shards], np.int64)
    numbers = np.repeat(np.arange(len(shards)), counts)
    ranks = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    ranges = np.repeat(np.array([shard.place[0] for shard in shards], np.int64), counts)
    order = np.lexsort((numbers, ranks, ranges))
    return np.stack([numbers[order], ranks[order]], axis=1).astype(np.int32)
