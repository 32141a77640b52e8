"""The tables by class, as the page shows them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from maskmill import open_dataset
from tests.support.builders import HEIGHT, WIDTH, write_dataset
from tests.support.command import create
from tests.support.report_pages import Page, need_report, page_of

SIZE = HEIGHT * WIDTH
# Class 1 has 1, 2, …, 20 pixels in two regions: one in the first example; three in those with 11 to 16 pixels, which go
# on in the next column. Class 3 has 8 pixels in the examples with an even number.
ROWS = [f"{number:02}.jpg,1,1 1 {f'40 {number - 1}' if number > 1 else ''}" for number in range(1, 21)]
ROWS += [f"{number:02}.jpg,3,101 8" for number in range(2, 21, 2)]
CLASSES = {"class_id": [1, 3, 4], "loss": "multilabel_bce", "num_classes": 4}


@pytest.fixture(scope="module", name="dataset")
def make(tmp_path_factory: pytest.TempPathFactory) -> Path:
    need_report()
    folder = tmp_path_factory.mktemp("classes")
    data = write_dataset(folder / "data", [row.rstrip() for row in ROWS])
    return create(folder, data, train_test_split=0.7, **CLASSES)


@pytest.fixture(scope="module", name="page")
def make_page(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Page:
    return page_of(dataset, tmp_path_factory.mktemp("page"))


def cells(page: Page, name: str, split: str) -> list[str]:
    [found] = [row for row in page.rows if row[:2] == [name, split]]
    return found[2:]


def test_areas_are_those_of_the_examples_with_the_class(page: Page) -> None:
    areas = 100 * np.arange(1, 21) / SIZE
    quantiles = np.quantile(areas, (0.05, 0.25, 0.5, 0.75, 0.95))
    shown = cells(page, "class 1", "all")
    assert shown[0] == "20 (100.0%)"
    assert [float(cell) for cell in shown[1:7]] == pytest.approx([areas.mean(), *quantiles], rel=0.005)
    assert shown[7:9] == [f"{(1 + 9 * 2 + 6 * 3 + 4 * 2) / 20:.1f}", "3"]
    assert cells(page, "class 3", "all")[0] == "10 (50.0%)"


def test_pixels_are_those_of_the_split_that_the_reader_tells(dataset: Path, page: Page) -> None:
    for split in ("train_input", "eval_input"):
        statistics = open_dataset(dataset, split).statistics
        share, weight = cells(page, "class 1", split)[-2:]
        assert float(share) == pytest.approx(100 * statistics.pixel_share[0], rel=0.005)
        assert float(weight.replace(",", "")) == pytest.approx(statistics.pos_weight[0], rel=0.005)
        assert page.row(split)[-2:] == [f"{statistics.mean:.2f}", f"{statistics.std:.2f}"]
    share, weight = cells(page, "class 1", "all")[-2:]
    assert (float(share), weight) == (pytest.approx(100 * 210 / (20 * SIZE), rel=0.005), "")


def test_a_class_without_examples_has_nothing_but_that(page: Page) -> None:
    assert cells(page, "class 4", "train_input") == ["0 (0.0%)", *[""] * 8, "0", ""]


def test_classes_that_are_in_the_same_examples_are_counted(page: Page) -> None:
    [head] = [row for row in page.rows if row == ["class", "class 1", "class 3", "class 4"]]
    place = page.rows.index(head)
    assert page.rows[place + 1 : place + 4] == [
        ["class 1", "20", "10", "0"],
        ["class 3", "10", "10", "0"],
        ["class 4", "0", "0", "0"],
    ]


def test_splits_that_do_not_differ_are_said_not_to(page: Page, tmp_path: Path) -> None:
    sentence = "The splits do not differ by more than chance in their shares of each class"
    assert sentence in page.text
    rows = [f"{number:02}.jpg,{1 if number < 20 else 3},1 1" for number in range(40)]
    apart = page_of(create(tmp_path, write_dataset(tmp_path / "data", rows), **CLASSES), tmp_path)
    assert apart.warnings
    assert sentence not in apart.text
    alone = page_of(create(tmp_path, tmp_path / "data", output="1", train_test_split=1.0, **CLASSES), tmp_path)
    assert sentence not in alone.text


def test_captions_name_all_classes_of_an_example(page: Page) -> None:
    by_name = {caption.split(", ")[0]: caption.split(", ")[1:-1] for caption in page.captions}
    assert by_name["02.jpg"] == ["class 1", "class 3"]
    assert by_name["03.jpg"] == ["class 1"]
