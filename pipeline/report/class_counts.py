"""Counts the examples of a split by class."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

# Name under which examples without a defect are counted, and those without a label, of which nobody knows.
NO_DEFECT, NO_LABEL = "no defect", "no label"


class ClassCounts(NamedTuple):
    """Numbers of examples of a split.

    Attributes:
        total: number of examples that were counted.
        by_name: number of them with a pixel of a class, by its name, and of those without a defect.
    """

    total: int
    by_name: Mapping[str, int]

    def share(self, name: str) -> float:
        """Returns the share of the examples with a pixel of a class; 0 without examples."""
        return self.by_name[name] / self.total if self.total else 0.0


def counts_of_entry(entry: Mapping[str, Any]) -> ClassCounts:
    """Reads the counts from a split's entry in the manifest: by class even if labels unite the classes.

    Without labels there are none by class.

    Raises:
        KeyError: the entry has none.
    """
    if not entry.get("labels", True):
        return ClassCounts(entry["examples"], {})
    by_name = {class_title(name): count for name, count in entry["classes"].items()}
    return ClassCounts(entry["examples"], {**by_name, NO_DEFECT: entry["negatives"]})


def class_title(name: str) -> str:
    """Returns the title of a class in a report."""
    return f"class {name}" if name.isdecimal() else name


def names_of(splits: Iterable[Iterable[str]]) -> list[str]:
    """Merges the class names of several splits: each once, in order, the one for no defect last."""
    names = dict.fromkeys(name for split in splits for name in split)
    return sorted(names, key=NO_DEFECT.__eq__)
