"""What the examples of a split show, in numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from maskmill import DatasetError, open_dataset
from maskmill.dataset import Dataset
from maskmill.pipeline.report import statistics
from maskmill.pipeline.report.statistics import look_at_split
from maskmill.statistics import Statistics
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
    assert found.regions["class 3"].tolist() == [2, 1]
    assert list(found.image_ids) == ["a.jpg", "b.jpg", "c.jpg"]
    assert found.flat.tolist() == [True] * 3
    assert found.brightness[0] == pytest.approx([100] * 3, abs=1)
    heat = found.heat["class 3"]
    assert heat.shape == (HEIGHT, WIDTH)
    assert heat[0, 0] == 1
    assert heat[:4, 1].tolist() == [0.5] * 4
    assert heat.sum() == pytest.approx(11 / 2)


@pytest.mark.parametrize("changes", [{}, {"loss": "multilabel_bce", "num_classes": 4, "class_id": [1, 3, 4]}])
def test_pixels_are_those_of_the_dataset_recorded_or_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any]
) -> None:
    data = write_dataset(tmp_path / "data", ["a.jpg,3,1 4", "a.jpg,1,9 9", "b.jpg,3,1 1", "c.jpg,4,7 7"])
    dataset = str(create(tmp_path, data, train_test_split=1.0, maskmill={"negatives": "all"}, **changes))
    names = ["class 1", "class 3", "class 4"] if changes else ["class 3"]
    recorded = look_at_split(dataset, "train_input", names, Progress(), 0)
    monkeypatch.setattr(Dataset, "statistics", property(_refuse))
    computed = look_at_split(dataset, "train_input", names, Progress(), 0)
    assert recorded.pixels is not None
    assert computed.pixels is not None
    assert recorded.pixels.mean == computed.pixels.mean
    assert recorded.pixels.std == computed.pixels.std
    for one, other in zip(recorded.pixels[2:], computed.pixels[2:], strict=True):
        assert np.array_equal(one, other)
    assert np.array_equal(recorded.hashes, open_dataset(dataset).image_hashes)


def _refuse(_: Dataset) -> Statistics:
    raise DatasetError("an earlier maskmill made it")


def test_examples_with_two_classes_are_counted(tmp_path: Path) -> None:
    data = write_dataset(tmp_path / "data", ["a.jpg,3,1 4", "a.jpg,1,9 9", "b.jpg,3,1 1", "c.jpg,4,7 7"])
    changes = {"class_id": [1, 3, 4], "loss": "ssce", "num_classes": 4, "train_test_split": 1.0}
    names = ["class 1", "class 3", "class 4"]
    found = look_at_split(str(create(tmp_path, data, **changes)), "train_input", names, Progress(), 0)
    assert [[found.together(one, other) for other in names] for one in names] == [[1, 1, 0], [1, 2, 0], [0, 0, 1]]
    assert found.together("class 1", "class 9") == 0


def test_of_more_examples_than_it_looks_at_the_seed_chooses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statistics, "MOST_EXAMPLES", 2)
    dataset, progress = str(write_original(tmp_path)), Progress()
    chosen = [look_at_split(dataset, "train_input", ["x"], progress, seed) for seed in range(9)]
    assert {(one.examples, len(one.positions), one.brightness.shape) for one in chosen} == {(3, 2, (1, 2))}
    assert len({tuple(one.positions.tolist()) for one in chosen}) > 1
    again = look_at_split(dataset, "train_input", ["x"], progress, 0)
    assert again.positions.tolist() == chosen[0].positions.tolist()
    assert progress.done == 2 * 10


def test_a_split_without_examples_has_no_figures(tmp_path: Path) -> None:
    (tmp_path / "train_input").mkdir()
    (tmp_path / "meta_train_input.dat").touch()
    found = look_at_split(str(tmp_path), "train_input", ["class 1"], Progress(), 0)
    assert (found.examples, found.counts().total, found.counts().by_name) == (0, 0, {"class 1": 0, "no defect": 0})
    assert (found.heat, found.pixels) == ({}, None)


def test_padding_counts_nowhere_and_channels_are_apart(tmp_path: Path) -> None:
    data = write_dataset(tmp_path / "data", ["a.png,3,1 4 17 4", "b.png,3,-1"])
    for name in ("a.png", "b.png"):
        colours = np.broadcast_to(np.array([100, 50, 200], np.uint8), (HEIGHT, WIDTH, 3))
        Image.fromarray(colours).save(data / "train_images" / name)
    # The images are 16 x 24: all columns, and 16 of 40 rows.
    changes = {"image_shape": [40, WIDTH, 1], "maskmill": {"colour": "rgb", "resize": "pad"}}
    dataset = create(tmp_path, data, train_test_split=1.0, **changes)
    found = look_at_split(str(dataset), "train_input", ["class 3"], Progress(), 0)
    assert found.brightness.tolist() == [[100, 100], [50, 50], [200, 200]]
    assert found.areas["class 3"].tolist() == [8 / (HEIGHT * WIDTH)]
    assert found.flat.tolist() == [True, True]
    assert found.hashes.tolist() == [0, 0]
    assert found.pixels is not None
    assert np.asarray(found.pixels.mean).tolist() == [100, 50, 200]
    assert np.asarray(found.pixels.std).tolist() == [0, 0, 0]
