"""Says, for people, what differs between a dataset and the one before it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from maskmill.pipeline.messages.quantities import count


def describe_changes(examples: Mapping[str, Any] | None) -> list[str]:
    """Writes a line about the examples that differ; nothing if none does, or if there is no previous dataset.

    Args:
        examples: numbers of changed examples; see `changes.Changes`.
    """
    if examples is None:
        return []
    parts = [
        f"{count(examples[key], 'example')} {what}"
        for key, what in (
            ("added", "added"),
            ("removed", "removed"),
            ("image", "whose image file changed"),
            ("mask", "whose rows changed"),
        )
        if examples[key]
    ]
    return [f"compared with the previous dataset: {', '.join(parts)}"] if parts else []


def warn_of_moves(examples: Mapping[str, Any] | None, assignment: str) -> list[str]:
    """Warns of examples that have changed their split, which lets a model be judged by images that it has learned.

    Args:
        examples: numbers of changed examples; see `changes.Changes`.
        assignment: name of the strategy that assigned them.
    """
    moved = examples["moved"] if examples else []
    if not moved:
        return []
    ways = ", ".join(f"{number} from {old} to {new}" for old, new, number in moved)
    total = sum(number for *_, number in moved)
    advice = "" if assignment == "hash" else "; with maskmill.assignment: hash, each image keeps its split"
    return [f"{count(total, 'example')} moved to another split since the previous dataset: {ways}{advice}"]


def describe_reasons(reasons: Mapping[str, int]) -> str:
    """Writes the reasons for writing shards with their numbers, without the number if there is only one reason."""
    if len(reasons) <= 1:
        return "".join(reasons)
    return "; ".join(f"{number} {reason}" for reason, number in reasons.items())
