"""Compares a dataset with the one before it: which examples differ, and why shards are written again."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from maskmill.example_list import ListedExample
from maskmill.names import split_of
from maskmill.pipeline.dataset.changed_parameters import FORM, changed_parameters, names_with_effect
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


class PairedExamples(NamedTuple):
    """The examples of two datasets, matched by image.

    Attributes:
        added: only in the new dataset.
        removed: only in the old one.
        pairs: in both, (old, new); in the same split if possible.
    """

    added: list[ListedExample]
    removed: list[ListedExample]
    pairs: list[tuple[ListedExample, ListedExample]]

    @property
    def moved(self) -> Counter[tuple[str, str]]:
        """Number of examples that are in another split, by old and new split."""
        splits = ((split_of(old.shard), split_of(new.shard)) for old, new in self.pairs)
        return Counter(one for one in splits if one[0] != one[1])


def pair_examples(old: Iterable[ListedExample], new: Iterable[ListedExample]) -> PairedExamples:
    """Matches the examples of two datasets. An image is paired within its split, and otherwise with any other split."""
    before = {(one.image_id, split_of(one.shard)): one for one in old}
    pairs, unmatched = [], []
    for one in new:
        earlier = before.pop((one.image_id, split_of(one.shard)), None)
        if earlier is None:
            unmatched.append(one)
        else:
            pairs.append((earlier, one))
    elsewhere: dict[str, list[ListedExample]] = defaultdict(list)
    for earlier in before.values():
        elsewhere[earlier.image_id].append(earlier)
    added = []
    for one in unmatched:
        if found := elsewhere.get(one.image_id):
            pairs.append((found.pop(0), one))
        else:
            added.append(one)
    return PairedExamples(added, [one for found in elsewhere.values() for one in found], pairs)


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
        old: the dataset before; None if there is none.
        new: the new one.
        written: paths of the shards that the run writes.
    """
    paired = None
    if old is not None and old.examples is not None and new.examples is not None:
        paired = pair_examples(old.examples, new.examples)
    counts: dict[str, Counter[str]] = {split: Counter() for split in new.splits}
    find_reason = _Reasons(old, new, paired)
    for path in written:
        counts[split_of(path)][find_reason(path)] += 1
    reasons = {split: dict(found.most_common()) for split, found in counts.items()}
    return Changes(reasons, _count(paired) if paired else None)


def _count(paired: PairedExamples) -> dict[str, Any]:
    return {
        "added": len(paired.added),
        "removed": len(paired.removed),
        "moved": [[*splits, number] for splits, number in sorted(paired.moved.items())],
        "image": sum(old.image != new.image for old, new in paired.pairs),
        "mask": sum(old.mask != new.mask for old, new in paired.pairs),
    }


class _Reasons:
    """Finds the reason why a shard is written."""

    def __init__(self, old: DatasetFacts | None, new: DatasetFacts, paired: PairedExamples | None) -> None:
        self._old, self._new = old, new
        self._before, self._after = _by_shard(old), _by_shard(new)
        self._fingerprints = [dict(_fingerprints(facts)) if facts else {} for facts in (old, new)]
        self._added = {(one.image_id, split_of(one.shard)) for one in paired.added} if paired else set()
        self._removed = {(one.image_id, split_of(one.shard)) for one in paired.removed} if paired else set()
        self._parameters = names_with_effect(changed_parameters(old.parameters, new.parameters)) if old else []

    def __call__(self, path: str) -> str:
        if self._old is None:
            return NEW
        before, after = (fingerprints.get(path) for fingerprints in self._fingerprints)
        if before == after:
            return DAMAGED
        if self._old.format_version != self._new.format_version or self._old.examples is None:
            return OTHER_VERSION
        return self._compare(path)

    def _compare(self, path: str) -> str:
        if path not in self._fingerprints[0]:
            return parameters_changed(self._parameters) if self._parameters else NEW
        old, new = self._before.get(path, []), self._after.get(path, [])
        if [one.image_id for one in old] != [one.image_id for one in new]:
            return self._of_members(split_of(path), old, new)
        form = [name for name in self._parameters if name in FORM]
        if form:
            return parameters_changed(form)
        if any(one.image != other.image for one, other in zip(old, new, strict=True)):
            return CHECKSUM_CHANGED if self._old and self._old.checksum != self._new.checksum else IMAGE_CHANGED
        return ROWS_CHANGED

    def _of_members(self, split: str, old: Sequence[ListedExample], new: Sequence[ListedExample]) -> str:
        if self._parameters:
            return parameters_changed(self._parameters)
        stayed = [one.image_id for one in old if (one.image_id, split) not in self._removed]
        known = [one.image_id for one in new if (one.image_id, split) not in self._added]
        return MEMBERS_CHANGED if stayed == known else EXAMPLES_MOVED


def _by_shard(facts: DatasetFacts | None) -> dict[str, list[ListedExample]]:
    shards: dict[str, list[ListedExample]] = defaultdict(list)
    for one in (facts.examples or ()) if facts else ():
        shards[one.shard].append(one)
    return shards


def _fingerprints(facts: DatasetFacts) -> Iterator[tuple[str, str]]:
    for entry in facts.splits.values():
        for shard in entry["shards"]:
            yield shard["file"], shard["fingerprint"]
