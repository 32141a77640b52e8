"""Where an example lies: position to shard and group, and the name of every file. The one owner of names."""

from __future__ import annotations

import re
from typing import NamedTuple

MANIFEST = "manifest.json"
DATA_PARAMS = "data_params.json"
REJECTED = "rejected.jsonl"
STAGING = ".staging"
LOCK = ".lock"

_SHARD_NAME = re.compile(r"(?P<name>.+)-(?P<file>\d+)_p(?P<range>\d+)\.h5", re.DOTALL)


def meta_name(split: str) -> str:
    """Name of a split's list of shards, `meta_<split>.dat`."""
    return f"meta_{split}.dat"


def group_name(index: int) -> str:
    """Name of an example's group in its shard."""
    return f"example_{index}"


def staged_path(path: str, fingerprint: str) -> str:
    """Path of a shard in the staging folder, of one that is `path` in the dataset."""
    split, _, file_name = path.rpartition("/")
    return f"{split}/{fingerprint[:16]}-{file_name}"


class ShardLayout(NamedTuple):
    """The original's layout: positions in consecutive ranges, dealt out in turn to the files of their range.

    Attributes:
        name: first part of the file names.
        num_output_files: files asked for; a range has `num_output_files // num_processes` of them, at least 1.
        num_processes: number of ranges.
    """

    name: str
    num_output_files: int
    num_processes: int

    @property
    def files_in_range(self) -> int:
        """Number of shards of a range."""
        return max(self.num_output_files // self.num_processes, 1)

    @property
    def num_shards(self) -> int:
        """Number of shards of a split."""
        return self.files_in_range * self.num_processes

    def range_bounds(self, index: int, examples: int) -> tuple[int, int]:
        """First position of a range, and the one after its last, of a split of so many examples."""
        return examples * index // self.num_processes, examples * (index + 1) // self.num_processes

    def place(self, position: int, examples: int) -> tuple[int, int]:
        """Where an example lies.

        Args:
            position: in its split, from 0.
            examples: of the split.

        Returns:
            number of the shard in its split, number of the example's group in the shard.
        """
        index = ((position + 1) * self.num_processes - 1) // examples
        place_in_range = position - self.range_bounds(index, examples)[0]
        return (
            index * self.files_in_range + place_in_range % self.files_in_range,
            place_in_range // self.files_in_range,
        )

    def file_name(self, shard: int) -> str:
        """Name of a shard's file."""
        return f"{self.name}-{shard}_p{shard // self.files_in_range}.h5"


def parse_file_name(file_name: str) -> tuple[str, int, int] | None:
    """Inverse of `ShardLayout.file_name`: name, number of the shard, of the range; None for another name."""
    match = _SHARD_NAME.fullmatch(file_name)
    return (match["name"], int(match["file"]), int(match["range"])) if match else None


def is_shard_path(path: str) -> bool:
    """Whether a path can be that of a shard in its dataset, `<split>/<file>`, and leads nowhere else."""
    split, _, file_name = path.rpartition("/")
    return split not in ("", ".", "..") and "/" not in split and parse_file_name(file_name) is not None
