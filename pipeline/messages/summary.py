"""Writes the summary of a finished run, for people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from maskmill.names import REJECTED
from maskmill.pipeline.arguments.create_arguments import NUM_OUTPUT_FILES
from maskmill.pipeline.messages.describe_changes import describe_changes, describe_reasons
from maskmill.pipeline.messages.quantities import count, format_bytes
from maskmill.pipeline.messages.result import Result, Rows, states_of
from maskmill.transforms.shards.records import KEPT, REUSED, WRITTEN
from maskmill.transforms.tallies import OTHER_MASK, note_of


def summarise(result: Result) -> str:
    """Writes the summary of a run: lines of text."""
    rows, splits = result.rows, result.splits
    labelled = any(split.classes for split in splits.values())
    lines = [f"{count(rows.read, 'row')} read, {rows.in_examples} of them in examples"] if labelled else []
    lines += describe_classes(rows, dict.fromkeys(name for split in splits.values() for name in split.classes))
    lines += [f"  {number} filtered: {reason}" for reason, number in rows.filtered.items() if number]
    if rows.merged:
        lines.append(f"  {rows.merged} merged with an earlier row of the same example")
    if result.rejected:
        lines.append(f"{_rejected(result.rejected)}; they are listed in {result.path}/{REJECTED}")
    lines += describe_notes(result.notes)
    for name, split in splits.items():
        shards = count(sum(split.shards.values()), "shard")
        examples = count_examples(split.examples, split.images)
        lines.append(f"{name}: {examples} in {shards}, {format_bytes(split.bytes)}")
        lines.append(f"  {describe_examples(split.classes, split.negatives)}")
        if result.published:
            lines.append(f"  {_describe_shards(split.shards, split.reasons)}")
    lines += [describe_overlaps(name, split.overlaps) for name, split in splits.items() if split.overlaps["pixels"]]
    if result.shared_images:
        lines.append(f"warning: {count(result.shared_images, 'image')} in more than one split")
    lines += describe_changes(result.changes)
    lines.append(_work(result))
    lines.append(f"the dataset is in {result.path}; to look at it: {result.look}")
    return "\n".join(lines)


def _rejected(codes: Mapping[str, int]) -> str:
    return f"{sum(codes.values())} rejected: " + ", ".join(f"{number} {code}" for code, number in codes.items())


def describe_classes(rows: Rows, chosen: Iterable[str]) -> list[str]:
    """Writes a line for each class that any split takes: its number of rows; nothing where there is only one class."""
    by_class = rows.classes
    return [f"  class {name}: {count(by_class[name], 'row')}" for name in chosen] if len(by_class) > 1 else []


def warn_of_classes(rows: Rows, chosen: Iterable[str]) -> list[str]:
    """Warns of classes that a split takes and no row has, which is most likely a slip."""
    by_class = rows.classes
    without = [name for name in chosen if by_class.get(name) == 0]
    if not without or not rows.read:
        return []
    return [f"no row is of class {', '.join(without)}, which class_id asks for; {classes_with_rows(by_class)}"]


def classes_with_rows(by_class: Mapping[str, int]) -> str:
    """Names the classes that rows have, with their numbers of rows."""
    there = ", ".join(f"{name} ({count(number, 'row')})" for name, number in by_class.items() if number)
    return f"classes with rows: {there or 'none'}"


def describe_notes(notes: Mapping[str, int]) -> list[str]:
    """Writes a line for each thing that was read in a way that a person may not expect."""
    return [f"  note: {what}: {number}" for what, number in notes.items() if number]


def warn_of_different_masks(notes: Mapping[str, int], pairs: Iterable[tuple[str, str]]) -> list[str]:
    """Warns of equal images with different masks: at most one of them is right.

    Args:
        notes: has the number of the images.
        pairs: the first of them.
    """
    names = [f"{first} and {other}" for first, other in pairs]
    if not names:
        return []
    more = notes[note_of(OTHER_MASK)] - len(names)
    shown = ", ".join(names) + (f" and {count(more, 'more pair')}" if more > 0 else "")
    return [
        f"equal images have different masks: {shown}; compare these with maskmill preview --image, and correct the "
        "rows, or name the wrong images in maskmill.exclude"
    ]


def describe_overlaps(split: str, overlaps: Mapping[str, Any]) -> str:
    """Says how many pixels of a split belong to several classes, and which class they get."""
    pixels, examples = count(overlaps["pixels"], "pixel"), count(overlaps["examples"], "example")
    return f"{split}: {pixels} of {examples} are of several classes: {overlaps['rule']}"


def count_examples(examples: int, images: int | None) -> str:
    """Writes the number of examples, and of the images if the examples are their crops."""
    return count(examples, "example") if images is None else f"{count(examples, 'crop')} of {count(images, 'image')}"


def describe_examples(classes: Mapping[str, int], negatives: int) -> str:
    """Writes the numbers of examples by class, and without a defect; one of two classes counts for both."""
    if not classes:
        return "without labels"
    return ", ".join(
        [*(f"{number} of class {name}" for name, number in classes.items()), f"{negatives} without a defect"]
    )


def _describe_shards(states: Mapping[str, int], reasons: Mapping[str, int]) -> str:
    """Says how many shards of a split a run wrote, and why, and how many it kept and reused."""
    why = f" ({describe_reasons(reasons)})" if reasons else ""
    words = {WRITTEN: f"written{why}", KEPT: "kept", REUSED: "copied from an earlier dataset"}
    parts = [f"{count(states[state], 'shard')} {word}" for state, word in words.items() if states[state]]
    return ", ".join(parts)


def warn_of_empty_shards(sizes: Mapping[str, tuple[int, int]]) -> list[str]:
    """Warns of splits most of whose shards are empty, if they have more than anybody gets without asking.

    Args:
        sizes: number of examples and number of shards, by split.
    """
    return [
        f"{split} has {count(examples, 'example')} in {shards} shards, most of which are empty; "
        f"--num_output_files {min(max(examples // 2, 1), NUM_OUTPUT_FILES)} is enough"
        for split, (examples, shards) in sizes.items()
        if shards > max(2 * examples, NUM_OUTPUT_FILES)
    ]


def _work(result: Result) -> str:
    """Says how long a run took, and how fast it was if it wrote every shard."""
    states, seconds = states_of(result.splits.values()), result.seconds
    if not result.published:
        return f"nothing to do: no shard has changed; {seconds:.1f} s"
    if not states[WRITTEN] and not states[REUSED]:
        return f"no shard has changed; the files beside them are new; {seconds:.1f} s"
    if states[KEPT] or states[REUSED]:
        return f"{seconds:.1f} s"
    return f"{seconds:.1f} s, {sum(result.examples.values()) / seconds:.0f} examples a second"
