"""Records of shards: what is known of a shard's file, and what a run made of it."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from maskmill.names import parse_shard_file, shard_path

# How a run obtained a shard: wrote it, kept it (in the dataset or staged), or copied it from another dataset.
WRITTEN, KEPT, REUSED = "written", "kept", "reused"


class ShardKey(NamedTuple):
    """A shard: its split, its number in the split, and the name of its file."""

    split: str
    number: int
    file_name: str

    @property
    def path(self) -> str:
        """Path of its file in the dataset."""
        return shard_path(self.split, self.file_name)


# Beam has a deterministic coder for plain tuples only.
ShardKeyType = tuple[str, int, str]

# Their messages are of a few hundred bytes.
REJECTED_PER_PIECE = 1000


class RejectedExample(NamedTuple):
    """Why an example cannot be made and is missing from its shard.

    Attributes:
        row: index of the bad row in the example; None if its image is bad.
        code: the reason, a value of `Code`.
        message: what is wrong, and what to do.
    """

    row: int | None
    code: str
    message: str


class StoredShard(NamedTuple):
    """What is known of a shard's file.

    Attributes:
        examples: in the file.
        bytes: size of the file.
        sha256: of the file, hexadecimal.
        fingerprint: of what decided its bytes, hexadecimal.
        rejected: examples that are missing from it, by their index in the shard's list of examples, ascending.
        overlaps: examples with pixels of several classes, and the number of these pixels.
    """

    examples: int
    bytes: int
    sha256: str
    fingerprint: str
    rejected: Mapping[int, RejectedExample] = {}
    overlaps: tuple[int, int] = (0, 0)

    def to_json(self) -> dict[str, Any]:
        """As plain data; no key for what is empty."""
        plain = self._asdict()
        plain["rejected"] = [[index, one.row, one.code, one.message] for index, one in self.rejected.items()]
        plain["overlaps"] = [*self.overlaps] if any(self.overlaps) else []
        return {key: value for key, value in plain.items() if value != []}

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> StoredShard:
        """Inverse of `to_json`; further keys are ignored.

        Raises:
            ValueError, TypeError, KeyError: it is something else.
        """
        rejected = {
            index: RejectedExample(row=row, code=code, message=message)
            for index, row, code, message in plain.get("rejected", ())
        }
        examples, pixels = plain.get("overlaps", (0, 0))
        return cls(
            plain["examples"], plain["bytes"], plain["sha256"], plain["fingerprint"], rejected, (examples, pixels)
        )


class ReusableShard(NamedTuple):
    """A shard of another dataset: the path of its file, and what is known of it."""

    path: str
    stored: StoredShard


class ShardSummary(NamedTuple):
    """A shard, and what became of its rows.

    Attributes:
        split: its split.
        number: of the shard in its split.
        file_name: in the split's folder.
        rows: of the CSV that are in its examples.
        merged: rows that were united with an earlier row of the same example.
        classes: number of its examples that have something of a class, by the class; 0 is for those without any.
        stored: its file.
        state: how this run has come by it, `WRITTEN`, `KEPT` or `REUSED`.
    """

    split: str
    number: int
    file_name: str
    rows: int
    merged: int
    classes: Mapping[int, int]
    stored: StoredShard
    state: str = WRITTEN

    @property
    def path(self) -> str:
        """Path in the dataset."""
        return shard_path(self.split, self.file_name)

    @property
    def range(self) -> int:
        """Index of the range of positions that the shard belongs to."""
        parsed = parse_shard_file(self.file_name)
        assert parsed is not None
        return parsed.range


def cut_summary(summary: ShardSummary) -> Iterator[ShardSummary]:
    """Summaries of the same shard with a part of its rejected examples each: all of them may be many for a shuffle."""
    rejected = list(summary.stored.rejected.items())
    for start in range(0, max(len(rejected), 1), REJECTED_PER_PIECE):
        part = dict(rejected[start : start + REJECTED_PER_PIECE])
        yield summary._replace(stored=summary.stored._replace(rejected=part))


def join_summaries(pieces: Iterable[ShardSummary]) -> tuple[ShardSummary, ...]:
    """Inverse of `cut_summary`, for the pieces of many shards in any order: summaries ordered by split and number."""
    summaries = []
    for _, group in itertools.groupby(sorted(pieces), key=lambda piece: (piece.split, piece.number)):
        of_shard = list(group)
        rejected = sorted(item for piece in of_shard for item in piece.stored.rejected.items())
        stored = of_shard[0].stored._replace(rejected=dict(rejected))
        summaries.append(of_shard[0]._replace(stored=stored))
    return tuple(summaries)
