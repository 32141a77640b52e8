"""Writes the summary of a finished run, for people."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from maskmill.names import REJECTED
from maskmill.pipeline.messages.quantities import count, format_bytes
from maskmill.transforms.shards.records import KEPT, REUSED, WRITTEN


def summarise(
    manifest: Mapping[str, Any], output_dir: str, states: Mapping[str, int], seconds: float, look: str
) -> str:
    """Writes the summary of a run.

    Args:
        manifest: content of the dataset's manifest.json.
        output_dir: as given.
        states: number of shards that the run wrote, kept and reused; empty if there was nothing to do.
        seconds: duration of the run.
        look: shell command that shows the dataset.

    Returns:
        lines of text.
    """
    rows, splits = manifest["rows"], manifest["splits"]
    lines = [f"{count(rows['read'], 'row')} read, {rows['in_examples']} of them in examples"]
    lines += describe_classes(
        rows, dict.fromkeys(name for split in splits.values() for name in split.get("classes", ()))
    )
    lines += [f"  {number} filtered: {reason}" for reason, number in rows["filtered"].items() if number]
    if rows["merged"]:
        lines.append(f"  {rows['merged']} merged with an earlier row of the same example")
    if manifest["rejected"]:
        lines.append(f"{_rejected(manifest['rejected'])}; they are listed in {output_dir}/{REJECTED}")
    lines += describe_notes(manifest.get("notes", {}))
    for name, split in splits.items():
        shards = count(len(split["shards"]), "shard")
        lines.append(f"{name}: {count(split['examples'], 'example')} in {shards}, {format_bytes(split['bytes'])}")
    overlapping = {name: split["overlaps"] for name, split in splits.items() if split["overlaps"]["pixels"]}
    lines += [describe_overlaps(name, overlaps) for name, overlaps in overlapping.items()]
    if manifest["shared_images"]:
        lines.append(f"warning: {count(manifest['shared_images'], 'image')} in more than one split")
    lines.append(_work(splits.values(), states, seconds))
    lines.append(f"the dataset is in {output_dir}; to look at it: {look}")
    return "\n".join(lines) + "\n"


def _rejected(codes: Mapping[str, int]) -> str:
    return f"{sum(codes.values())} rejected: " + ", ".join(f"{number} {code}" for code, number in codes.items())


def describe_classes(rows: Mapping[str, Any], chosen: Iterable[str]) -> list[str]:
    """Writes a line for each class that any split takes: its number of rows; nothing where there is only one class."""
    by_class = rows.get("classes", {})
    return [f"  class {name}: {count(by_class[name], 'row')}" for name in chosen] if len(by_class) > 1 else []


def warn_of_classes(rows: Mapping[str, Any], chosen: Iterable[str]) -> list[str]:
    """Warns of classes that a split takes and no row has, which is most likely a slip."""
    by_class = rows.get("classes", {})
    without = [name for name in chosen if by_class.get(name) == 0]
    if not without or not rows["read"]:
        return []
    return [f"no row is of class {', '.join(without)}, which class_id asks for; {classes_with_rows(by_class)}"]


def classes_with_rows(by_class: Mapping[str, int]) -> str:
    """Names the classes that rows have, with their numbers of rows."""
    there = ", ".join(f"{name} ({count(number, 'row')})" for name, number in by_class.items() if number)
    return f"classes with rows: {there or 'none'}"


def describe_notes(notes: Mapping[str, int]) -> list[str]:
    """Writes a line for each thing that was read in a way that a person may not expect."""
    return [f"  note: {what}: {number}" for what, number in notes.items() if number]


def describe_overlaps(split: str, overlaps: Mapping[str, Any]) -> str:
    """Says how many pixels of a split belong to several classes, and which class they get."""
    pixels, examples = count(overlaps["pixels"], "pixel"), count(overlaps["examples"], "example")
    return f"{split}: {pixels} of {examples} are of several classes: {overlaps['rule']}"


def _work(splits: Collection[Mapping[str, Any]], states: Mapping[str, int], seconds: float) -> str:
    shards = sum(len(split["shards"]) for split in splits)
    parts = []
    if kept := states.get(KEPT):
        parts.append(f"{kept} of {shards} shards are kept")
    if reused := states.get(REUSED):
        parts.append(f"{reused} of {shards} shards are taken from an earlier dataset")
    if not states:
        return f"nothing to do: no shard has changed; {seconds:.1f} s"
    if kept == shards:
        return f"no shard has changed; the files beside them are new; {seconds:.1f} s"
    if parts:
        rest = ", the others are new" if states.get(WRITTEN) else ""
        return f"{', '.join(parts)}{rest}; {seconds:.1f} s"
    return f"{seconds:.1f} s, {sum(split['examples'] for split in splits) / seconds:.0f} examples a second"
