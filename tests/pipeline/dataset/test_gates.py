"""What holds a dataset back: too few examples, or too much change since the one before."""

from __future__ import annotations

from typing import Any

import pytest

from maskmill.pipeline.dataset.changes import Changes
from maskmill.pipeline.dataset.dataset_facts import DatasetFacts
from maskmill.pipeline.dataset.gates import check_gates, find_problems
from maskmill.pipeline.errors import ChangedTooMuchError
from maskmill.pipeline.job.run import Run


def facts(examples: int, negatives: int = 0, **classes: int) -> DatasetFacts:
    entry = {"examples": examples, "negatives": negatives, "classes": classes, "shards": []}
    return DatasetFacts(5, False, {"train_input": entry}, {}, None)


def run(**limits: Any) -> Run:
    return Run(id="", started="", runner="", **limits)


@pytest.mark.parametrize(
    ("limits", "old", "new", "problems"),
    [
        ({}, facts(100), facts(0), []),
        ({"min_examples": 5}, None, facts(5), []),
        ({"min_examples": 5}, None, facts(4), ["4 examples, and at least 5 are required (--min_examples)"]),
        ({"max_change": 10}, None, facts(1), []),
        ({"max_change": 10}, facts(100), facts(110), []),
        ({"max_change": 10}, facts(100), facts(90), []),
        (
            {"max_change": 10},
            facts(100),
            facts(111),
            ["111 examples after 100 (+11.0%), and at most 10% are allowed (--max_change)"],
        ),
        (
            {"max_change": 10},
            facts(100),
            facts(0),
            ["0 examples after 100 (-100.0%), and at most 10% are allowed (--max_change)"],
        ),
        (
            {"max_change": 10},
            facts(0),
            facts(3),
            ["3 examples after 0 (from none), and at most 10% are allowed (--max_change)"],
        ),
        ({"max_change": 10}, facts(0), facts(0), []),
        ({"max_change": 0.5}, facts(100, a=50), facts(100, a=50), []),
        ({"max_change": 10}, facts(100, a=50, b=50), facts(100, a=60, b=40), []),
        (
            {"max_change": 10},
            facts(100, 20, a=50, b=30),
            facts(100, 40, a=61, b=0),
            [
                "61.0% of the examples are of class a, after 50.0%",
                "0.0% of the examples are of class b, after 30.0%",
                "40.0% of the examples are without a defect, after 20.0%",
            ],
        ),
        ({"max_change": 10}, facts(100, a=50), facts(100), ["0.0% of the examples are of class a, after 50.0%"]),
    ],
)
def test_a_limit_holds_back_what_exceeds_it(
    limits: dict[str, Any], old: DatasetFacts | None, new: DatasetFacts, problems: list[str]
) -> None:
    found = list(find_problems(run(**limits), old, new))
    assert len(found) == len(problems)
    assert all(one.startswith(begin) for one, begin in zip(found, problems, strict=True)), found
    if not problems:
        check_gates(run(**limits), old, new, Changes({}))
        return
    with pytest.raises(ChangedTooMuchError) as raised:
        check_gates(run(**limits), old, new, Changes({}))
    assert str(raised.value).startswith(problems[0])
    assert raised.value.exit_status == 5
