"""`maskmill report`: examples by class, and splits that differ."""

from __future__ import annotations

from pathlib import Path

import pytest

from maskmill.pipeline.report.compare_splits import find_differences, probability_of_chance
from tests.support.builders import write_dataset
from tests.support.command import create
from tests.support.report_pages import page_of

# 40 of class 1, 20 of class 3.
ROWS = [f"{number:03}.jpg,{3 if number % 3 == 0 else 1},{1 + number} 4" for number in range(60)]
BY_CLASS = sorted(ROWS, key=lambda row: row.split(",")[1])


def test_a_difference_that_is_not_by_chance_is_told(tmp_path: Path) -> None:
    data = write_dataset(tmp_path / "data", BY_CLASS)
    changes = {"class_id": "all", "loss": "ssce", "num_classes": 5}
    page = page_of(create(tmp_path, data, **changes), tmp_path)
    assert len(page.warnings) == 2
    assert page.warnings[0].startswith(
        "train_input differs from the rest by more than chance: class 1 in 100.0% of its"
    )
    stratified = create(tmp_path, data, output="even", maskmill={"assignment": "stratified"}, **changes)
    assert page_of(stratified, tmp_path).warnings == []


def test_classes_that_the_label_unites_are_told_apart(tmp_path: Path) -> None:
    data = write_dataset(tmp_path / "data", [*BY_CLASS, "x.jpg,3,-1", "x.jpg,2,-1"])
    page = page_of(create(tmp_path, data, class_id="all", loss="bce"), tmp_path)
    assert page.row("split")[1:7] == ["examples", "class 1", "class 2", "class 3", "class 4", "no defect"]
    assert page.row("train_input")[1:4:2] == ["30", "0 (0.0%)"]
    assert page.row("train_input")[2] == "30 (100.0%)"
    assert page.row("eval_input")[1:7] == ["31", "10 (32.3%)", "0 (0.0%)", "20 (64.5%)", "0 (0.0%)", "1 (3.2%)"]
    assert [warning.partition(" in ")[0] for warning in page.warnings] == [
        f"train_input differs from the rest by more than chance: {name}" for name in ("class 1", "class 3")
    ]


def test_a_defect_that_is_lost_in_resizing_is_counted_and_told(tmp_path: Path) -> None:
    data = write_dataset(tmp_path / "data", ["a.jpg,3,2 1", "b.jpg,3,1 100"])
    page = page_of(create(tmp_path, data, train_test_split=1.0, image_shape=[4, 6, 1]), tmp_path)
    assert page.row("train_input")[1:4] == ["2", "2 (100.0%)", "0 (0.0%)"]
    assert "train_input: 1 with a defect that is too small to be seen at the size of the examples." in page.text


def test_splits_of_different_classes_stand_beside_each_other(tmp_path: Path) -> None:
    data = write_dataset(tmp_path / "data", ROWS)
    page = page_of(create(tmp_path, data, class_id=3, eval_input={"class_id": 1}), tmp_path)
    assert page.row("split")[1:5] == ["examples", "class 3", "class 1", "no defect"]
    assert page.row("train_input")[1:5] == ["10", "10 (100.0%)", "", "0 (0.0%)"]
    assert page.row("eval_input")[1:5] == ["20", "", "20 (100.0%)", "0 (0.0%)"]
    assert page.warnings == []
    for chart in ("Area of the defects", "Runs of the defects"):
        drawn = page.text.split(f'aria-label="{chart}"')[1].split("</section>")[0]
        assert [name in drawn for name in ("class 1", "class 3")] == [True, True]


def test_the_probability_of_chance_is_that_of_the_corrected_chi_square_test() -> None:
    # Of the table 10, 20 | 30, 40: chi-square 0.446428…, one degree of freedom.
    assert probability_of_chance(10, 40, 20, 60) == pytest.approx(0.5040358664525046)
    assert probability_of_chance(0, 10, 0, 10) == 1.0
    assert probability_of_chance(5, 10, 0, 0) == 1.0


def test_of_three_splits_each_is_compared_with_the_others() -> None:
    counts = {"train": {"a": 500}, "eval": {"a": 100}, "test": {"a": 10}}
    totals = {"train": 1000, "eval": 200, "test": 200}
    assert {found.split for found in find_differences(counts, totals)} == {"train", "test"}
