"""Maps the index of an example to its shard and its place there.

maskmill and create_hdf5_files.py deal out each range of consecutive positions to the shards of that range in turn. This
module inverts the mapping: the first examples of all shards of a range come first, then the second ones, and so on. If
nothing was rejected, that is CSV order. Crops are in the order of the shards instead, so that those of an image are
neighbours.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from maskmill.catalog import Shard


def places_of(shards: Sequence[Shard]) -> NDArray[np.int32]:
    """Locates the examples of a split.

    Args:
        shards: of the split, in order.

    Returns:
        int32 [examples, 2]: index of the shard in `shards`, index of the example in the shard.
    """
    counts = np.array([shard.examples for shard in shards], np.int64)
    numbers = np.repeat(np.arange(len(shards)), counts)
    ranks = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    if any(shard.images is not None for shard in shards):
        return np.stack([numbers, ranks], axis=1).astype(np.int32)
    ranges = np.repeat(np.array([shard.place[0] for shard in shards], np.int64), counts)
    order = np.lexsort((numbers, ranks, ranges))
    return np.stack([numbers[order], ranks[order]], axis=1).astype(np.int32)
