"""Maps positions to shards: how a split's examples are distributed."""

from __future__ import annotations

import math
from typing import NamedTuple

from maskmill.names import ShardName


class ShardLayout(NamedTuple):
    """Distributes the examples of a split over its shards.

    By position, as in the original: positions form consecutive ranges, and each range deals its examples out to its
    files in turn. By hash: positions are hashes, and a hash modulo the number of files gives the file.

    Attributes:
        name: first part of the file names.
        num_output_files: files asked for; a range has `num_output_files // num_processes` of them, at least 1.
        num_processes: number of ranges.
        max_shard_bytes: if a shard would be larger, there are more files; None for exactly those asked for.
        by_hash: True if positions are hashes.
    """

    name: str
    num_output_files: int
    num_processes: int
    max_shard_bytes: int | None = None
    by_hash: bool = False

    @property
    def files_in_range(self) -> int:
        """Number of shards of a range."""
        return max(self.num_output_files // self.num_processes, 1)

    @property
    def num_shards(self) -> int:
        """Number of shards of a split."""
        return self.files_in_range * self.num_processes

    def fitted(self, examples: int, example_bytes: int) -> ShardLayout:
        """Returns the layout with enough files to keep each shard of so many examples within `max_shard_bytes`.

        By hash, the number of files is doubled until it is enough: each shard's examples then go to two shards.
        """
        if self.max_shard_bytes is None:
            return self
        most = max(self.max_shard_bytes // example_bytes, 1)
        files = self.files_in_range
        if not self.by_hash:
            largest_range = -(-examples // self.num_processes)
            files = max(files, -(-largest_range // most))
        else:
            while _fullest(examples / (files * self.num_processes)) > most:
                files *= 2
        return self._replace(num_output_files=files * self.num_processes)

    def range_bounds(self, index: int, examples: int) -> tuple[int, int]:
        """Returns the first position of a range and the one after its last, in a split of so many examples."""
        return examples * index // self.num_processes, examples * (index + 1) // self.num_processes

    def place(self, position: int, examples: int) -> tuple[int, int]:
        """Finds the place of an example.

        Args:
            position: index of the example in its split, from 0; or its hash.
            examples: number of examples in the split.

        Returns:
            number of the shard in its split, and rank of the example in the shard; ranks have gaps only by hash.
        """
        if self.by_hash:
            rank, shard = divmod(position, self.num_shards)
            return shard, rank
        index, files = ((position + 1) * self.num_processes - 1) // examples, self.files_in_range
        rank, file = divmod(position - self.range_bounds(index, examples)[0], files)
        return index * files + file, rank

    def file_name(self, shard: int) -> str:
        """Returns the name of a shard's file."""
        return str(ShardName(self.name, shard, shard // self.files_in_range))


def _fullest(mean: float) -> float:
    """Estimates the examples in the fullest shard, filled by a hash: the mean plus four standard deviations."""
    return mean + 4 * math.sqrt(mean)
