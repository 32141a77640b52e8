"""Holds back a dataset that is smaller, or more different from the one before, than anybody expects of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from maskmill.pipeline.dataset.changes import Changes
from maskmill.pipeline.dataset.dataset_facts import DatasetFacts
from maskmill.pipeline.errors import ChangedTooMuchError
from maskmill.pipeline.job.run import Run
from maskmill.pipeline.messages.describe_changes import describe_changes
from maskmill.pipeline.messages.quantities import count

WITHOUT_DEFECT = "without a defect"
_ADVICE = (
    "nothing is published; look at the CSV and the image folder, which may be incomplete; if they are right, run the "
    "command once with other limits"
)


def check_gates(run: Run, old: DatasetFacts | None, new: DatasetFacts, changes: Changes) -> None:
    """Refuses to publish a dataset that `--min_examples` or `--max_change` does not allow.

    Args:
        run: says what is allowed.
        old: the previous dataset; None if there is none, and then any dataset is allowed that is large enough.
        new: the dataset that may be published.
        changes: between the two.

    Raises:
        ChangedTooMuchError: the dataset is not allowed.
    """
    problems = list(find_problems(run, old, new))
    if problems:
        lines = [*problems, *describe_changes(changes.examples), _ADVICE]
        raise ChangedTooMuchError("\n".join(lines))


def find_problems(run: Run, old: DatasetFacts | None, new: DatasetFacts) -> Iterator[str]:
    """Yields a message for each limit that a dataset exceeds; the arguments are those of `check_gates`."""
    if new.num_examples < run.min_examples:
        yield f"{count(new.num_examples, 'example')}, and at least {run.min_examples} are required (--min_examples)"
    if old is None or run.max_change is None:
        return
    before, after = old.num_examples, new.num_examples
    if abs(after - before) * 100 > run.max_change * before:
        change = f"{100 * (after - before) / before:+.1f}%" if before else "from none"
        allowed = f"at most {run.max_change:g}% are allowed (--max_change)"
        yield f"{after:,} examples after {before:,} ({change}), and {allowed}"
    if before and after:
        yield from _compare_shares(shares(old), shares(new), run.max_change)


def _compare_shares(old: Mapping[str, float], new: Mapping[str, float], most: float) -> Iterator[str]:
    for name in dict.fromkeys([*old, *new]):
        before, after = old.get(name, 0.0), new.get(name, 0.0)
        if abs(after - before) > most:
            allowed = f"at most {most:g} percentage points are allowed (--max_change)"
            title = name if name == WITHOUT_DEFECT else f"of class {name}"
            yield f"{after:.1f}% of the examples are {title}, after {before:.1f}%, and {allowed}"


def shares(facts: DatasetFacts) -> dict[str, float]:
    """Returns how many percent of the examples, in all splits, have a defect of each class, or none."""
    counts: Counter[str] = Counter()
    for entry in facts.splits.values():
        counts.update(entry["classes"])
        counts[WITHOUT_DEFECT] += entry["negatives"]
    return {name: 100 * number / facts.num_examples for name, number in counts.items()}
