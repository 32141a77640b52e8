"""Positions to shards: the order in which a split's examples are distributed."""

from __future__ import annotations

import math
from typing import NamedTuple

from maskmill.names import ShardFile


class ShardLayout(NamedTuple):
    """Where the examples of a split lie.

    By position, as in the original: positions in consecutive ranges, dealt out in turn to the files of their range.
    By hash: all files in turn take the places, which are numbers of 64 bits.

    Attributes:
        name: first part of the file names.
        num_output_files: files asked for; a range has `num_output_files // num_processes` of them, at least 1.
        num_processes: number of ranges.
        max_shard_bytes: above which there are to be more files; None for as many as were asked for.
        by_hash: whether places are hashes.
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
        """The layout with as many files as keep each of a split of so many examples within `max_shard_bytes`.

        By hash their number is doubled until it is enough: each time a shard's examples go to two, and none elsewhere.
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
        """First position of a range, and the one after its last, of a split of so many examples."""
        return examples * index // self.num_processes, examples * (index + 1) // self.num_processes

    def place(self, position: int, examples: int) -> tuple[int, int]:
        """Where an example lies.

        Args:
            position: in its split, from 0; by hash, its place.
            examples: of the split.

        Returns:
            number of the shard in its split, rank of the example in the shard; by position, ranks have no gap.
        """
        if self.by_hash:
            return position % self.num_shards, position // self.num_shards
        index = ((position + 1) * self.num_processes - 1) // examples
        place_in_range = position - self.range_bounds(index, examples)[0]
        return (
            index * self.files_in_range + place_in_range % self.files_in_range,
            place_in_range // self.files_in_range,
        )

    def file_name(self, shard: int) -> str:
        """Name of a shard's file."""
        return str(ShardFile(self.name, shard, shard // self.files_in_range))


def _fullest(mean: float) -> float:
    """About the number of examples in the fullest of many shards that a hash fills: four standard deviations up."""
    return mean + 4 * math.sqrt(mean)
