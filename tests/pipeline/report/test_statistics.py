"""What the examples of a split show, in numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from maskmill.pipeline.report import statistics
from maskmill.pipeline.report.statistics import look_at_split
from maskmill.transforms.parallel.progress import Progress
from tests.support.builders import HEIGHT, WIDTH, image_bytes, write_dataset
from tests.support.command import create
from tests.support.datasets import write_original


def test_areas_runs_brightness_and_places_are_those_of_the_examples(tmp_path: Path) -> None:
    grey = np.full((HEIGHT, WIDTH), 100, np.uint8)
    data = write_dataset(tmp_path / "data", ["a.jpg,3,1 4 17 4 40 2", "b.jpg,3,1 1", "c.jpg,3,-1"])
    for name in ("a.jpg", "b.jpg", "c.jpg"):
        (data / "train_images" / name).write_bytes(image_bytes(grey))
    dataset = create(tmp_path, data, train_test_split=1.0)
    found = look_at_split(str(dataset), "train_input", ["class 3"], Progress(), 0)
    assert found.members["class 3"].tolist() == [0, 1]
    assert found.members["no defect"].tolist() == [2]
    assert found.areas["class 3"] == pytest.approx([10 / (HEIGHT * WIDTH), 1 / (HEIGHT * WIDTH)])
    assert found.runs["class 3"].tolist() == [3, 1]
    assert found.brightness == pytest.approx([100] * 3, abs=1)
    assert found.heat.shape == (HEIGHT, WIDTH)
    assert found.heat[0, 0] == pytest.approx(2 / 3)
    assert found.heat[:4, 1].tolist() == pytest.approx([1 / 3] * 4)
    assert found.heat.sum() == pytest.approx(11 / 3)


def test_of_more_examples_than_it_looks_at_the_seed_chooses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statistics, "MOST_EXAMPLES", 2)
    dataset, progress = str(write_original(tmp_path)), Progress()
    chosen = [look_at_split(dataset, "train_input", ["x"], progress, seed) for seed in range(9)]
    assert {(one.examples, len(one.positions), len(one.brightness)) for one in chosen} == {(3, 2, 2)}
    assert len({tuple(one.positions.tolist()) for one in chosen}) > 1
    again = look_at_split(dataset, "train_input", ["x"], progress, 0)
    assert again.positions.tolist() == chosen[0].positions.tolist()
    assert progress.done == 2 * 10


def test_a_split_without_examples_has_no_figures(tmp_path: Path) -> None:
    (tmp_path / "train_input").mkdir()
    (tmp_path / "meta_train_input.dat").touch()
    found = look_at_split(str(tmp_path), "train_input", ["class 1"], Progress(), 0)
    assert (found.examples, found.counts().total, found.counts().by_name) == (0, 0, {"class 1": 0, "no defect": 0})
    assert found.heat.tolist() == [[0]]
