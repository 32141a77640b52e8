"""Compares a dataset with the one before it: which examples differ, and why shards are written again."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from maskmill.example_list import ListedExample
from maskmill.format_version import same_bytes
from maskmill.names import split_of
from maskmill.pipeline.dataset.changed_parameters import SHARD, changed_parameters, names_with_effect
from maskmill.pipeline.dataset.dataset_facts import DatasetFacts

# Why a shard is written; a changed parameter is named, see `parameters_changed`.
NEW = "new"
OTHER_VERSION = "made by another version"
DAMAGED = "missing or damaged"
EXAMPLES_MOVED = "positions moved"
MEMBERS_CHANGED = "images added or removed"
IMAGE_CHANGED = "image changed"
ROWS_CHANGED = "rows changed"
CHECKSUM_CHANGED = "--checksum given or left out"


def parameters_changed(names: Iterable[str]) -> str:
    """Returns the reason for writing shards that parameters have changed."""
    return f"{' and '.join(names)} changed"


# Keys of `Changes.examples`.
_KEYS = ("added", "removed", "moved", "image", "mask")

Pair = tuple[ListedExample | None, ListedExample | None]


def pair_examples(old: Iterable[ListedExample], new: Iterable[ListedExample]) -> Iterator[Pair]:
    """Matches the examples of two datasets. An image is paired within its split, and otherwise with any other split.

    So is each crop of an image, by its place.

    Only the old examples are held in memory, some 500 bytes each.

    Yields:
        (old, new), in the order of the new ones as far as there are any; None for what the other dataset has not.
    """
    before = {(one.image_id, one.crop, split_of(one.shard)): one for one in old}
    unmatched = []
    for one in new:
        earlier = before.pop((one.image_id, one.crop, split_of(one.shard)), None)
        if earlier is None:
            unmatched.append(one)
        else:
            yield earlier, one
    elsewhere: dict[Any, list[ListedExample]] = defaultdict(list)
    for earlier in before.values():
        elsewhere[earlier.image_id, earlier.crop].append(earlier)
    for one in unmatched:
        others = elsewhere.get((one.image_id, one.crop))
        yield others.pop(0) if others else None, one
    yield from ((earlier, None) for others in elsewhere.values() for earlier in others)


class Changes(NamedTuple):
    """What a run changes, as the history and programs have it.

    Attributes:
        reasons: number of shards that it writes, by reason, by split.
        examples: numbers of examples that were `added`, `removed`, that have another `image` or `mask`, and a list of
            those `moved`, each with old split, new split and number; None if there is nothing to compare with.
    """

    reasons: Mapping[str, Mapping[str, int]]
    examples: Mapping[str, Any] | None = None


def find_changes(old: DatasetFacts | None, new: DatasetFacts, written: Iterable[str]) -> Changes:
    """Compares a new dataset with the one before it.

    Args:
        old: the previous dataset; None if there is none.
        new: the new one.
        written: paths of the shards that the run writes.
    """
    changed = _find_changed_examples(old, new)
    find_reason = _Reasons(old, new, changed)
    counts: dict[str, Counter[str]] = {split: Counter() for split in new.splits}
    for path in written:
        counts[split_of(path)][find_reason(path)] += 1
    reasons = {split: dict(found.most_common()) for split, found in counts.items()}
    return Changes(reasons, changed.to_json() if changed else None)


class _ChangedExamples:
    """Counts the examples that differ, and notes the shards in which they are.

    Attributes:
        members: shards with images that were added or removed.
        positions: shards whose other images are from another shard, went to another one, or changed their order.
        image: shards with a changed image.
    """

    def __init__(self) -> None:
        self.members: set[str] = set()
        self.positions: set[str] = set()
        self.image: set[str] = set()
        self._counts = dict.fromkeys(_KEYS, 0)
        self._moved: Counter[tuple[str, str]] = Counter()
        self._last: dict[str, int] = {}

    def add(self, old: ListedExample | None, new: ListedExample | None) -> None:
        """Adds a pair of `pair_examples`."""
        if old and new:
            self._add_both(old, new)
        elif one := new or old:
            self._counts["added" if new else "removed"] += 1
            self.members.add(one.shard)

    def _add_both(self, old: ListedExample, new: ListedExample) -> None:
        if old.shard != new.shard or old.example < self._last.get(new.shard, 0):
            self.positions.update((old.shard, new.shard))
        self._last[new.shard] = old.example
        before, after = split_of(old.shard), split_of(new.shard)
        if before != after:
            self._moved[before, after] += 1
        if old.image != new.image:
            self._counts["image"] += 1
            self.image.add(new.shard)
        self._counts["mask"] += old.mask != new.mask

    def to_json(self) -> dict[str, Any]:
        """Returns the numbers; see `Changes.examples`."""
        moved = [[*splits, number] for splits, number in sorted(self._moved.items())]
        return {key: moved if key == "moved" else self._counts[key] for key in _KEYS}


def _find_changed_examples(old: DatasetFacts | None, new: DatasetFacts) -> _ChangedExamples | None:
    if old is None or old.examples is None or new.examples is None:
        return None
    changed = _ChangedExamples()
    for pair in pair_examples(old.examples, new.examples):
        changed.add(*pair)
    return changed


class _Reasons:
    """Finds the reason why a shard is written."""

    def __init__(self, old: DatasetFacts | None, new: DatasetFacts, changed: _ChangedExamples | None) -> None:
        self._old, self._new, self._changed = old, new, changed
        self._before, self._after = (dict(_fingerprints(facts)) if facts else {} for facts in (old, new))
        self._parameters = names_with_effect(changed_parameters(old.parameters, new.parameters)) if old else []

    def __call__(self, path: str) -> str:
        if self._old is None:
            return NEW
        if self._before.get(path) == self._after[path]:
            return DAMAGED
        if not same_bytes(self._old.format_version, self._new.format_version) or self._changed is None:
            return OTHER_VERSION
        if path not in self._before:
            return self._named(self._parameters, NEW)
        if path in self._changed.positions:
            return self._named(self._parameters, EXAMPLES_MOVED)
        if path in self._changed.members:
            return self._named(self._parameters, MEMBERS_CHANGED)
        form = [name for name in self._parameters if name in SHARD]
        if path in self._changed.image:
            return self._named(form, CHECKSUM_CHANGED if self._old.checksum != self._new.checksum else IMAGE_CHANGED)
        return self._named(form, ROWS_CHANGED)

    def _named(self, parameters: list[str], reason: str) -> str:
        """Returns the reason, or the parameters if any changed: everything else follows from them."""
        return parameters_changed(parameters) if parameters else reason


def _fingerprints(facts: DatasetFacts) -> Iterator[tuple[str, str]]:
    for entry in facts.splits.values():
        for shard in entry["shards"]:
            yield shard["file"], shard["fingerprint"]
