"""How many examples of a split have something of each class."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

# What an example without a defect is counted as.
NEGATIVE = "no defect"


class ClassCounts(NamedTuple):
    """Of a split.

    Attributes:
        total: examples that were counted.
        by_name: those of them that have something of a class, by its name; and negatives.
    """

    total: int
    by_name: Mapping[str, int]

    def share(self, name: str) -> float:
        """Share of the examples that have something of a class; 0 where there are none."""
        return self.by_name[name] / self.total if self.total else 0.0


def counts_of_entry(entry: Mapping[str, Any]) -> ClassCounts:
    """Counts of a split's entry in the manifest: of all examples, and by class also where labels unite the classes.

    Raises:
        KeyError: it has none.
    """
    by_name = {class_title(name): count for name, count in entry["classes"].items()}
    return ClassCounts(entry["examples"], {**by_name, NEGATIVE: entry["negatives"]})


def class_title(name: str) -> str:
    """A class as a report calls it."""
    return f"class {name}" if name.isdecimal() else name


def names_of(splits: Iterable[Iterable[str]]) -> list[str]:
    """The names of several splits, which may be of different classes: each once, in order, negatives last."""
    names = dict.fromkeys(name for split in splits for name in split)
    return sorted(names, key=NEGATIVE.__eq__)
