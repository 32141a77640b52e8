"""Defines a plan: what `maskmill plan` and `maskmill.plan` say that a run would do."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from maskmill.pipeline.messages.describe_changes import describe_changes, describe_reasons
from maskmill.pipeline.messages.quantities import count, format_bytes
from maskmill.pipeline.messages.result import Rows
from maskmill.pipeline.messages.summary import (
    count_examples,
    describe_classes,
    describe_examples,
    describe_notes,
)
from maskmill.transforms.shards.records import KEPT, REUSED

# What a run would do for a shard besides keeping or reusing it: write it, or find it staged.
WRITE, STAGED = "write", "staged"
# Those that programs do not read in the JSON of a plan: they are in what they gave, or on standard error.
_NOT_IN_JSON = ("path", "chosen", "max_rejected", "warnings")


@dataclasses.dataclass(frozen=True, kw_only=True)
class PlannedSplit:
    """What would be in a split.

    Attributes:
        examples: number of its examples.
        classes: number of examples with a defect of each class that the split takes, by its name.
        negatives: number of examples without a defect.
        bytes: size of its shards; of those to be written, an estimate.
        bytes_to_write: estimated size of the shards to be written.
        shards: number of its shards by what a run would do: "write", "staged" (finished by an earlier attempt), "kept"
            or "reused".
        reasons: number of its shards to be written, by reason; see `maskmill.pipeline.dataset.changes`.
        images: number of images whose crops the examples are; None if each example is an image.
    """

    examples: int
    classes: Mapping[str, int]
    negatives: int
    bytes: int
    bytes_to_write: int
    shards: Mapping[str, int]
    reasons: Mapping[str, int]
    images: int | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Plan:
    """What a run would do. `print` shows what the command line says.

    Attributes:
        path: folder of the dataset, as given.
        rows: what would become of the rows of the CSV.
        images: number of images with a file, and either rows or a source that uses images without rows.
        rejected: number of rows and images that would be rejected, by code; images were not decoded.
        misnamed: lines about rows that name their images in another way than the folder.
        allowed: whether as many may be rejected.
        shared_images: number of images in more than one split.
        notes: numbers of what was read in a way that a person may not expect, by what it is.
        splits: by name, in their order.
        changes: numbers of examples that differ from the previous dataset; see `Result`.
        held_back: what `--min_examples` and `--max_change` would not allow; nothing would be published then.
        removed_shards: number of shards in the folder that would be removed.
        workers: how many shards could be written at a time, by the options of the runner.
        chosen: names of the classes that any split takes.
        max_rejected: how many rows and images may be rejected.
        warnings: what was warned of.
    """

    path: str
    rows: Rows
    images: int
    rejected: Mapping[str, int]
    misnamed: tuple[str, ...]
    allowed: bool
    shared_images: int
    notes: Mapping[str, int]
    splits: Mapping[str, PlannedSplit]
    changes: Mapping[str, Any] | None
    held_back: tuple[str, ...]
    removed_shards: int
    workers: int
    chosen: tuple[str, ...]
    max_rejected: str
    warnings: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Returns the plan as `maskmill plan --json` writes it."""
        return {name: value for name, value in dataclasses.asdict(self).items() if name not in _NOT_IN_JSON}

    def __str__(self) -> str:
        return describe_plan(self)


def describe_plan(plan: Plan) -> str:
    """Writes a plan for people: lines of text."""
    rows = plan.rows
    read = f"{count(rows.read, 'row')} read, {rows.in_examples} of them in examples; " if plan.chosen else ""
    lines = [
        f"{read}{count(plan.images, 'image')}",
        *describe_classes(rows, plan.chosen),
        *(f"  {number} filtered: {reason}" for reason, number in rows.filtered.items() if number),
    ]
    if plan.rejected:
        codes = ", ".join(f"{number} {code}" for code, number in plan.rejected.items())
        lines.append(f"{sum(plan.rejected.values())} rejected: {codes}")
        lines += [f"  {cause}" for cause in plan.misnamed]
    lines += describe_notes(plan.notes)
    if not plan.allowed:
        lines.append(f"warning: at most {plan.max_rejected} allowed (--max_rejected): nothing would be published")
    for name, split in plan.splits.items():
        shards = sum(split.shards.values())
        size = format_bytes(split.bytes)
        lines.append(f"{name}: {count_examples(split.examples, split.images)} in {count(shards, 'shard')}, {size}")
        lines.append(f"  {describe_examples(split.classes, split.negatives)}")
        lines += [f"  {text}" for text in _describe_actions(split)]
    lines += describe_changes(plan.changes)
    lines += [f"warning: {problem}: nothing would be published" for problem in plan.held_back]
    if plan.removed_shards:
        lines.append(f"{count(plan.removed_shards, 'shard')} in {plan.path} would be removed")
    if plan.shared_images:
        lines.append(f"warning: {count(plan.shared_images, 'image')} in more than one split")
    lines += _describe_workers(plan)
    lines.append("images were not decoded: a bad one is found when its shard is written")
    return "\n".join(lines)


def _describe_actions(split: PlannedSplit) -> list[str]:
    texts = {
        WRITE: f"to be written ({describe_reasons(split.reasons)}), some {format_bytes(split.bytes_to_write)}",
        STAGED: "finished by an earlier attempt",
        KEPT: "in the dataset already, and unchanged",
        REUSED: "to be copied from an earlier dataset",
    }
    return [f"{split.shards[action]} {text}" for action, text in texts.items() if split.shards[action]]


def _describe_workers(plan: Plan) -> list[str]:
    shards, workers = sum(sum(split.shards.values()) for split in plan.splits.values()), plan.workers
    if shards >= workers:
        return []
    advice = f"--num_output_files {-(-workers // len(plan.splits))} is enough"
    return [f"warning: {shards} shards keep at most {shards} of {workers} workers busy; {advice}"]
