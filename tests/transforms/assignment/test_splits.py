"""Tests of what splits are cut from."""

from __future__ import annotations

from maskmill.transforms.assignment.splits import Selection, SplitRule, rules_by_selection, selections_of

CLASS_3, CLASS_4, OTHER_SOURCE = Selection(0, (3,)), Selection(0, (4,)), Selection(1, (3,))
RULES = [
    SplitRule("d", OTHER_SOURCE, 0, 1),
    SplitRule("c", CLASS_4, 0, 1),
    SplitRule("a", CLASS_3, 0, 0.5),
    SplitRule("b", CLASS_3, 0.5, 1),
]


def test_selections_are_distinct_and_sorted() -> None:
    assert selections_of(RULES) == [CLASS_3, CLASS_4, OTHER_SOURCE]


def test_rules_are_grouped_in_the_order_of_their_selections() -> None:
    assert [[rule.name for rule in rules] for rules in rules_by_selection(RULES)] == [["a", "b"], ["c"], ["d"]]


def test_rules_may_be_an_iterator() -> None:
    assert [len(rules) for rules in rules_by_selection(iter(RULES))] == [2, 1, 1]
