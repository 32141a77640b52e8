"""Defines the records of shards: the facts of a file, and how a run obtained it."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from maskmill.example_list import ListedExample
from maskmill.names import parse_shard_name, shard_path
from maskmill.transforms.codec import Codec, PackedBatch, unpack

# How a run obtained a shard: wrote it, kept it (in the dataset or staged), or copied it from another dataset.
WRITTEN, KEPT, REUSED = "written", "kept", "reused"


class ShardKey(NamedTuple):
    """Identifies a shard by its split, its index in the split, and the name of its file."""

    split: str
    number: int
    file_name: str

    @property
    def path(self) -> str:
        """Path of the file in the dataset."""
        return shard_path(self.split, self.file_name)


# Beam has a deterministic coder for plain tuples only.
ShardKeyType = tuple[str, int, str]

# A message has a few hundred bytes, and so has an example at most; a piece stays below `MAX_ELEMENT_BYTES`.
PER_PIECE = 500


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
    """The facts of a shard's file, as they are in the manifest and in a staged record.

    Attributes:
        examples: number of examples in the file.
        bytes: size of the file.
        sha256: of the file, hexadecimal.
        fingerprint: sha256 of everything that decides the file's bytes, hexadecimal.
        rejected: examples that are missing from it, by their index in the shard's list of examples, ascending.
        overlaps: number of examples with pixels of several classes, and number of those pixels.
        pixel_sums: for each channel, sum of the pixels of all images, and sum of their squares; one after the other.
        areas: number of pixels of each class in all labels; see `LabelFormat.num_areas`.
        valid_pixels: number of pixels of all examples that are not padding; 0 if no example has any.
    """

    examples: int
    bytes: int
    sha256: str
    fingerprint: str
    rejected: Mapping[int, RejectedExample] = {}
    overlaps: tuple[int, int] = (0, 0)
    pixel_sums: tuple[int, ...] = (0, 0)
    areas: tuple[int, ...] = ()
    valid_pixels: int = 0

    def to_json(self) -> dict[str, Any]:
        """Converts the record to plain data, without keys for empty fields."""
        plain = self._asdict()
        plain["rejected"] = [[index, one.row, one.code, one.message] for index, one in self.rejected.items()]
        plain["overlaps"] = [*self.overlaps] if any(self.overlaps) else []
        plain["pixel_sums"] = [*self.pixel_sums] if self.pixel_sums != (0, 0) else []
        plain["areas"] = [*self.areas]
        plain["valid_pixels"] = self.valid_pixels or []
        return {key: value for key, value in plain.items() if value != []}

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> StoredShard:
        """Inverts `to_json`; ignores other keys.

        Raises:
            ValueError, TypeError, KeyError: the data is no such record.
        """
        return cls(
            examples=plain["examples"],
            bytes=plain["bytes"],
            sha256=plain["sha256"],
            fingerprint=plain["fingerprint"],
            rejected={
                index: RejectedExample(row=row, code=code, message=message)
                for index, row, code, message in plain.get("rejected", ())
            },
            overlaps=_pair(plain.get("overlaps", (0, 0))),
            pixel_sums=tuple(plain.get("pixel_sums", (0, 0))),
            areas=tuple(plain.get("areas", ())),
            valid_pixels=plain.get("valid_pixels", 0),
        )


def _pair(numbers: Sequence[int]) -> tuple[int, int]:
    first, second = numbers
    return first, second


class ReusableShard(NamedTuple):
    """A shard of another dataset: the path of its file, and its facts."""

    path: str
    stored: StoredShard


class ExampleVersion(NamedTuple):
    """Tells whether the parts of an example have changed; see `maskmill.example_list.ListedExample`."""

    image_id: str
    image: str
    mask: str


class ShardSummary(NamedTuple):
    """Summarises a shard of a run.

    Attributes:
        split: name of the split.
        number: index of the shard in the split.
        file_name: name of the file in the split's folder.
        rows: number of rows of the CSV in the examples of the shard.
        merged: number of those rows that share an example with an earlier row.
        classes: number of examples with a defect of a class, by class; 0 counts those without any defect.
        stored: facts of the file.
        state: how this run obtained the file: `WRITTEN`, `KEPT` or `REUSED`.
        examples: what examples.csv lists of the shard, in batches; see `unpack_examples`.
    """

    split: str
    number: int
    file_name: str
    rows: int
    merged: int
    classes: Mapping[int, int]
    stored: StoredShard
    state: str = WRITTEN
    examples: tuple[PackedBatch, ...] = ()

    @property
    def path(self) -> str:
        """Path of the file in the dataset."""
        return shard_path(self.split, self.file_name)

    @property
    def range(self) -> int:
        """Index of the range of positions that the shard belongs to."""
        parsed = parse_shard_name(self.file_name)
        assert parsed is not None
        return parsed.range


_LIST_CODEC = Codec[ListedExample](tuple, lambda plain: ListedExample(*plain), lambda one: len(one.image_id) + 100)


def pack_examples(path: str, versions: Sequence[ExampleVersion]) -> tuple[PackedBatch, ...]:
    """Packs what examples.csv lists of a shard.

    Args:
        path: of the shard in the dataset.
        versions: of the examples in it, in order.
    """
    listed = [ListedExample(one.image_id, path, index, one.image, one.mask) for index, one in enumerate(versions)]
    return tuple(_LIST_CODEC.pack(listed[start : start + PER_PIECE]) for start in range(0, len(listed), PER_PIECE))


def unpack_examples(summary: ShardSummary) -> list[ListedExample]:
    """Inverts `pack_examples`, for batches in any order."""
    return sorted(unpack(summary.examples, _LIST_CODEC), key=lambda one: one.example)


def cut_summary(summary: ShardSummary) -> Iterator[ShardSummary]:
    """Cuts a summary into pieces with some of the examples each: all may be too large for a shuffle."""
    rejected = list(summary.stored.rejected.items())
    for number in range(max(-(-len(rejected) // PER_PIECE), len(summary.examples), 1)):
        part = dict(rejected[number * PER_PIECE : (number + 1) * PER_PIECE])
        examples = summary.examples[number : number + 1]
        yield summary._replace(stored=summary.stored._replace(rejected=part), examples=examples)


def join_summaries(pieces: Iterable[ShardSummary]) -> tuple[ShardSummary, ...]:
    """Inverts `cut_summary` for pieces of many shards in any order; returns summaries in order of split and number."""
    summaries = []
    for _, group in itertools.groupby(sorted(pieces, key=_place_of), key=_place_of):
        of_shard = list(group)
        rejected = sorted(item for piece in of_shard for item in piece.stored.rejected.items())
        stored = of_shard[0].stored._replace(rejected=dict(rejected))
        examples = tuple(batch for piece in of_shard for batch in piece.examples)
        summaries.append(of_shard[0]._replace(stored=stored, examples=examples))
    return tuple(summaries)


def _place_of(summary: ShardSummary) -> tuple[str, int]:
    return summary.split, summary.number
