"""Writes how two datasets differ, for people and for programs."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from maskmill.example_list import ListedExample
from maskmill.names import split_of
from maskmill.pipeline.dataset.gates import WITHOUT_DEFECT
from maskmill.pipeline.diff.compare_datasets import Difference, Pair
from maskmill.pipeline.messages.quantities import count
from maskmill.transforms.text import printable

SHOWN_NAMES = 5


def to_json(difference: Difference) -> str:
    """Writes a difference as an object of JSON."""
    return (
        json.dumps(
            {
                "same": difference.same,
                "examples": [difference.old.num_examples, difference.new.num_examples],
                "added": [_entry(one) for one in difference.added],
                "removed": [_entry(one) for one in difference.removed],
                "moved": [{**_entry(new), "from": split_of(old.shard)} for old, new in difference.moved],
                "reordered": len(difference.reordered),
                "image_changed": [_entry(new) for _, new in difference.image],
                "mask_changed": [_entry(new) for _, new in difference.mask],
                "not_comparable": len(difference.form),
                "parameters": difference.parameters,
                "splits": {split: dict(counts) for split, counts in _counts(difference)},
            },
            indent=4,
            ensure_ascii=False,
        )
        + "\n"
    )


def describe(difference: Difference, old: str, new: str) -> str:
    """Writes a difference for people.

    Args:
        difference: between the datasets.
        old: folder of the first dataset, as given.
        new: folder of the second one.
    """
    before, after = difference.old.num_examples, difference.new.num_examples
    if difference.same:
        return f"{old} and {new} are the same: {count(after, 'example')}\n"
    lines = [f"{old}: {count(before, 'example')}", f"{new}: {count(after, 'example')}"]
    for what, examples in (
        ("added", difference.added),
        ("removed", difference.removed),
        *_moves(difference.moved),
        ("with another image", _new_of(difference.image)),
        ("with another mask", _new_of(difference.mask)),
    ):
        if examples:
            lines.append(f"{count(len(examples), 'example')} {what}: {_names(examples)}")
    if difference.reordered:
        lines.append(f"{count(len(difference.reordered), 'example')} at another place in the same split")
    if difference.form:
        number = count(len(difference.form), "example")
        lines.append(f"{number} with another shape or dtype, whose images and masks cannot be compared")
    for path, (earlier, later) in difference.parameters.items():
        lines.append(f"parameter {path}: {json.dumps(earlier)} -> {json.dumps(later)}")
    for split, counts in _counts(difference):
        changed = [f"{name} {earlier} -> {later}" for name, (earlier, later) in counts.items() if earlier != later]
        lines += [f"{split}: {', '.join(changed)}"] if changed else []
    return "".join(f"{printable(line)}\n" for line in lines)


def _entry(one: ListedExample) -> dict[str, str]:
    return {"image_id": one.image_id, "split": split_of(one.shard)}


def _new_of(pairs: Iterable[Pair]) -> list[ListedExample]:
    return [new for _, new in pairs]


def _moves(pairs: Sequence[Pair]) -> Iterator[tuple[str, list[ListedExample]]]:
    ways = Counter((split_of(old.shard), split_of(new.shard)) for old, new in pairs)
    for way in sorted(ways):
        moved = [new for old, new in pairs if (split_of(old.shard), split_of(new.shard)) == way]
        yield f"moved from {way[0]} to {way[1]}", moved


def _names(examples: Sequence[ListedExample]) -> str:
    more = len(examples) - SHOWN_NAMES
    return ", ".join(one.image_id for one in examples[:SHOWN_NAMES]) + (f" and {more} more" if more > 0 else "")


def _counts(difference: Difference) -> Iterator[tuple[str, dict[str, tuple[int, int]]]]:
    """Yields old and new number of examples of each split: all, by class, and without a defect."""
    old, new = difference.old.splits, difference.new.splits
    for split in dict.fromkeys([*old, *new]):
        before, after = _numbers(old.get(split)), _numbers(new.get(split))
        names = dict.fromkeys([*after, *before])
        yield split, {name: (before.get(name, 0), after.get(name, 0)) for name in names}


def _numbers(entry: Any) -> dict[str, int]:
    if entry is None:
        return {}
    by_class = {f"class {name}": number for name, number in entry["classes"].items()}
    return {"examples": entry["examples"], **by_class, WITHOUT_DEFECT: entry["negatives"]}
