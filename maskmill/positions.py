"""Maps the index of an example to its shard and its place there.

maskmill and create_hdf5_files.py deal out each range of consecutive positions to the shards of that range in turn. This
module inverts the mapping: the first examples of all shards of a range come first, then the second ones, and so on. If
nothing was rejected, that is CSV order. Splits that are read as one dataset follow each other.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from maskmill.catalog import Shard
from maskmill.names import split_of


def places_of(shards: Sequence[Shard]) -> NDArray[np.int32]:
    """Locates the examples of a split, or of several.

    Args:
        shards: of the splits, one split after the other, each in order.

    Returns:
        int32 [examples, 2]: index of the shard in `shards`, index of the example in the shard.
    """
    counts = np.array([shard.examples for shard in shards], np.int64)
    numbers = np.repeat(np.arange(len(shards)), counts)
    ranks = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    ranges = np.repeat(np.array([shard.place[0] for shard in shards], np.int64), counts)
    order_of = {split: number for number, split in enumerate(dict.fromkeys(split_of(shard.path) for shard in shards))}
    splits = np.repeat(np.array([order_of[split_of(shard.path)] for shard in shards], np.int64), counts)
    order = np.lexsort((numbers, ranks, ranges, splits))
    return np.stack([numbers[order], ranks[order]], axis=1).astype(np.int32)
