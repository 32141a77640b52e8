"""Examples by class."""

from __future__ import annotations

import pytest

from maskmill.pipeline.report.class_counts import ClassCounts, class_title, counts_of_entry, names_of


@pytest.mark.parametrize(("name", "title"), [("3", "class 3"), ("12", "class 12"), ("Fish", "Fish"), ("3a", "3a")])
def test_a_number_is_called_a_class(name: str, title: str) -> None:
    assert class_title(name) == title


def test_counts_are_those_of_the_manifest() -> None:
    counts = counts_of_entry({"examples": 10, "classes": {"1": 4, "Fish": 5}, "negatives": 2})
    assert counts == ClassCounts(10, {"class 1": 4, "Fish": 5, "no defect": 2})
    assert [counts.share(name) for name in counts.by_name] == [0.4, 0.5, 0.2]


def test_the_share_of_no_examples_is_none() -> None:
    assert ClassCounts(0, {"a": 0}).share("a") == 0


def test_a_manifest_without_classes_has_no_counts() -> None:
    with pytest.raises(KeyError):
        counts_of_entry({"examples": 10})


@pytest.mark.parametrize(
    ("splits", "names"),
    [
        ([], []),
        ([["class 3", "no defect"], ["class 1", "no defect"]], ["class 3", "class 1", "no defect"]),
        ([["no defect"], ["b", "a"]], ["b", "a", "no defect"]),
    ],
)
def test_names_of_several_splits_stand_in_order_with_negatives_last(splits: list[list[str]], names: list[str]) -> None:
    assert names_of(splits) == names
