"""Defines the result of a run: what the summary, the log, the metrics and `maskmill.create` say of it."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from maskmill.history import seconds_of
from maskmill.transforms.shards.records import KEPT, REUSED, WRITTEN


@dataclasses.dataclass(frozen=True, kw_only=True)
class Rows:
    """What became of the rows of the CSV.

    Attributes:
        read: all rows.
        in_examples: rows that are part of an example.
        filtered: rows that nobody asked for, by reason.
        rejected: rows that are bad, or whose image is.
        merged: rows in examples that were merged with an earlier row of the same example.
        classes: rows of each class, rejected ones too, by its name.
    """

    read: int
    in_examples: int
    filtered: Mapping[str, int]
    rejected: int
    merged: int
    classes: Mapping[str, int]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Split:
    """What is in a split, and what the run did for it.

    Attributes:
        examples: number of all its examples.
        classes: number of examples with a defect of each class that the split takes, by its name.
        negatives: number of examples without a defect.
        bytes: size of its shards.
        shards: number of its shards by what the run did: "written", "kept" or "reused".
        reasons: number of its shards that were written, by reason; see `maskmill.pipeline.dataset.changes`.
        overlaps: number of "examples" and "pixels" of several classes, and the "rule" that decides which they get.
        images: number of images whose crops the examples are; None if each example is an image.
    """

    examples: int
    classes: Mapping[str, int]
    negatives: int
    bytes: int
    shards: Mapping[str, int]
    reasons: Mapping[str, int]
    overlaps: Mapping[str, Any]
    images: int | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Result:
    """A dataset, and what the run did that made or checked it. `print` shows the summary of the command line.

    Attributes:
        path: folder of the dataset, as given.
        published: whether the run changed the dataset; False if there was nothing to do.
        rows: what became of the rows of the CSV.
        splits: by name, in their order.
        rejected: number of rejected rows and images, by code.
        shared_images: number of images in more than one split.
        notes: numbers of what was read in a way that a person may not expect, by what it is.
        different_masks: pairs of equal images with different masks, three at most, if `duplicates` asks for them.
        changes: numbers of examples that differ from the previous dataset: "added", "removed", with another "image" or
            "mask" (their files or rows, not always their pixels), and a list of those "moved", each with old split, new
            split and number; None if there is nothing to compare with, or there was nothing to do.
        warnings: what the run warned of.
        seconds: duration of the run.
        look: shell command that shows the dataset.
    """

    path: str
    published: bool
    rows: Rows
    splits: Mapping[str, Split]
    rejected: Mapping[str, int]
    shared_images: int = 0
    notes: Mapping[str, int] = dataclasses.field(default_factory=dict)
    different_masks: tuple[tuple[str, str], ...] = ()
    changes: Mapping[str, Any] | None = None
    warnings: tuple[str, ...] = ()
    seconds: float = 0.0
    look: str = ""

    @property
    def examples(self) -> dict[str, int]:
        """Number of examples, by split."""
        return {name: split.examples for name, split in self.splits.items()}

    @property
    def bytes(self) -> dict[str, int]:
        """Size of the shards, by split."""
        return {name: split.bytes for name, split in self.splits.items()}

    @property
    def shards(self) -> dict[str, Mapping[str, int]]:
        """Number of shards, by split, and by what the run did: "written", "kept" or "reused"."""
        return {name: split.shards for name, split in self.splits.items()}

    def numbers(self) -> dict[str, Any]:
        """Returns the numbers that a line of the log holds."""
        return {
            "rows": self.rows.read,
            "examples": self.examples,
            "bytes": self.bytes,
            "shards": self.shards,
            "reasons": {name: split.reasons for name, split in self.splits.items()},
            "changes": self.changes,
            "rejected": self.rejected,
        }

    def __str__(self) -> str:
        from maskmill.pipeline.messages.summary import summarise

        return summarise(self)


def rows_of(counts: Mapping[str, Any]) -> Rows:
    """Takes the rows from a manifest or a plan; an earlier maskmill did not count them by class."""
    return Rows(
        read=counts["read"],
        in_examples=counts["in_examples"],
        filtered=counts["filtered"],
        rejected=counts["rejected"],
        merged=counts["merged"],
        classes=counts.get("classes", {}),
    )


def result_of(manifest: Mapping[str, Any], entry: Mapping[str, Any] | None, path: str) -> Result:
    """Takes the result of a run from what it has written.

    Args:
        manifest: content of manifest.json.
        entry: of the run in the history; None if it published nothing, because there was nothing to do.
        path: folder of the dataset, as given.
    """
    return Result(
        path=path,
        published=entry is not None,
        rows=rows_of(manifest["rows"]),
        splits={name: _split_of(name, split, entry) for name, split in manifest["splits"].items()},
        rejected=manifest["rejected"],
        shared_images=manifest["shared_images"],
        notes=manifest.get("notes", {}),
        different_masks=tuple((first, other) for first, other in manifest.get("different_masks", [])),
        changes=entry["changes"] if entry else None,
        seconds=seconds_of(entry) if entry else 0.0,
    )


def _split_of(name: str, split: Mapping[str, Any], entry: Mapping[str, Any] | None) -> Split:
    kept = {WRITTEN: 0, KEPT: len(split["shards"]), REUSED: 0}
    return Split(
        examples=split["examples"],
        classes=split.get("classes", {}),
        negatives=split.get("negatives", 0),
        bytes=split["bytes"],
        shards=entry["shards"][name] if entry else kept,
        reasons=entry["reasons"][name] if entry else {},
        overlaps=split["overlaps"],
        images=split.get("images"),
    )


def states_of(splits: Iterable[Split]) -> Mapping[str, int]:
    """Returns the numbers of shards of all splits, by what the run did."""
    total = Counter[str]()
    for split in splits:
        total.update(split.shards)
    return total
