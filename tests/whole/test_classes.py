"""Several classes in one example: what the label of each loss says of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from maskmill import open_dataset
from maskmill.pipeline.cli import main
from tests.support.builders import HEADER, HEIGHT, WIDTH, write_dataset, write_params
from tests.support.command import create, digest, manifest

# Pixels of column 0, from the top: class 1 has 0 to 3, class 3 has 2 to 5, class 4 has 8.
ROWS = ["a.jpg,3,3 4", "a.jpg,1,1 4", "a.jpg,4,9 1", "b.jpg,1,1 2", "c.jpg,2,1 1", "d.jpg,4,-1"]


@pytest.fixture(name="data")
def write_data(tmp_path: Path) -> Path:
    return write_dataset(tmp_path / "data", ROWS)


def labels(output: Path, split: str = "train_input") -> dict[str, np.ndarray]:
    """The first column of each label, by image."""
    return {example.image_id: example.label[..., 0] for example in open_dataset(output, split)}


def column(*numbers: int) -> list[int]:
    return [*numbers, *[0] * (HEIGHT - len(numbers))]


def test_bce_unites_the_classes(tmp_path: Path, data: Path) -> None:
    found = labels(create(tmp_path, data, class_id=[1, 3, 4], train_test_split=1.0))
    assert list(found) == ["a.jpg", "b.jpg", "d.jpg"]
    assert found["a.jpg"].tolist() == [column(1, 1, 1, 1, 1, 1, 0, 0, 1)]
    assert found["b.jpg"].tolist() == [column(1, 1)]
    assert not found["d.jpg"].any()


def test_multilabel_has_a_channel_for_each_class_and_one_for_the_background(tmp_path: Path, data: Path) -> None:
    output = create(tmp_path, data, class_id=[4, 1, 3], train_test_split=1.0, loss="multilabel_bce", num_classes=5)
    found = labels(output)["a.jpg"].tolist()
    assert found[1:] == [column(*[0] * 8, 1), column(1, 1, 1, 1), column(0, 0, 1, 1, 1, 1), column()]
    assert found[0] == (1 - np.array(column(1, 1, 1, 1, 1, 1, 0, 0, 1))).tolist()
    assert main(["verify", str(output), "--quiet"]) == 0


@pytest.mark.parametrize(
    ("class_id", "expected"),
    [
        ([1, 3, 4], [1, 1, 2, 2, 2, 2, 0, 0, 3]),
        ([3, 1, 4], [2, 2, 2, 2, 1, 1, 0, 0, 3]),
        ("all", [1, 1, 3, 3, 3, 3, 0, 0, 4]),
    ],
)
def test_of_overlapping_classes_ssce_takes_the_later_in_class_id(
    tmp_path: Path, data: Path, class_id: Any, expected: list[int]
) -> None:
    output = create(tmp_path, data, class_id=class_id, train_test_split=1.0, loss="ssce", num_classes=5)
    assert labels(output)["a.jpg"].tolist() == column(*expected)
    assert main(["verify", str(output), "--quiet"]) == 0


@pytest.mark.parametrize("loss", ["ssce", "multilabel_bce"])
def test_overlaps_are_counted_and_told(
    tmp_path: Path, data: Path, loss: str, capsys: pytest.CaptureFixture[str]
) -> None:
    params = write_params(tmp_path / "params.yaml", data, class_id=[1, 3, 4], loss=loss, num_classes=4)
    output = tmp_path / "out"
    assert main(["create", "--params", str(params), "--output_dir", str(output)]) == 0
    [entry] = [shard for shard in manifest(output)["splits"]["train_input"]["shards"] if "overlaps" in shard]
    assert entry["overlaps"] == [1, 2]
    rule = "the class that comes later in class_id counts" if loss == "ssce" else "each class has its channel"
    assert f"train_input: 2 pixels of 1 example are of several classes: {rule}" in capsys.readouterr().out


def test_every_split_tells_its_examples_by_class(tmp_path: Path, data: Path) -> None:
    splits = manifest(create(tmp_path, data, class_id=[1, 3, 4], train_test_split=0.67))["splits"]
    assert (splits["train_input"]["classes"], splits["train_input"]["negatives"]) == ({"1": 2, "3": 1, "4": 1}, 0)
    assert (splits["eval_input"]["classes"], splits["eval_input"]["negatives"]) == ({"1": 0, "3": 0, "4": 0}, 1)


def test_sections_may_name_classes_that_overlap(tmp_path: Path, data: Path) -> None:
    output = create(tmp_path, data, class_id="all", train_test_split=0.5, eval_input={"class_id": 1})
    assert list(labels(output)) == ["a.jpg", "b.jpg"]
    assert list(labels(output, "eval_input")) == ["b.jpg"]
    rows = manifest(output)["rows"]
    assert rows["read"] == rows["in_examples"] + rows["filtered"]["in no split"] == 6


def test_an_image_of_which_a_row_is_rejected_is_no_example_of_the_others(tmp_path: Path, data: Path) -> None:
    text = "\n".join([HEADER, *ROWS, "a.jpg,2,5 0", "b.jpg,2,9 1 1", "b.jpg,1,9 1", ""])
    (data / "train.csv").write_text(text)
    output = create(tmp_path, data, "--max_rejected=10", class_id="all", train_test_split=1.0)
    assert list(labels(output)) == ["c.jpg", "d.jpg"]
    assert manifest(output)["rejected"] == {"MASK_INCOMPLETE": 2, "RLE_BAD_LENGTH": 1, "RLE_ODD_COUNT": 1}
    # Where the bad row is of a class that nobody asked for, the image is an example.
    output = create(tmp_path, data, "--max_rejected=10", output="one", class_id=1, train_test_split=1.0)
    assert list(labels(output)) == ["a.jpg", "b.jpg"]


def test_more_classes_than_a_byte_has_bits(tmp_path: Path) -> None:
    names = [f"c{number}" for number in range(40)]
    rows = [f"a.jpg,c{number},{1 + number * HEIGHT} {1 + number % HEIGHT}" for number in range(24)]
    rows += ["a.jpg,c39,1 1"]
    data = write_dataset(tmp_path / "data", rows)
    maskmill = {"classes": names}
    made = create(tmp_path, data, class_id="all", num_classes=41, loss="ssce", train_test_split=1.0, maskmill=maskmill)
    [example] = open_dataset(made)
    expected = np.zeros((HEIGHT, WIDTH), int)
    for number in range(24):
        expected[: 1 + number % HEIGHT, number] = number + 1
    expected[0, 0] = 40
    assert np.array_equal(example.label, expected)
    made = create(
        tmp_path,
        data,
        output="multi",
        class_id=["c39", "c0"],
        num_classes=3,
        loss="multilabel_bce",
        train_test_split=1.0,
        maskmill=maskmill,
    )
    [example] = open_dataset(made)
    assert example.label[1:, 0, 0].tolist() == [1, 1]


def test_datasets_of_several_classes_have_the_same_bytes_however_they_are_made(tmp_path: Path, data: Path) -> None:
    changes = {"class_id": "all", "loss": "multilabel_bce", "num_classes": 5, "image_shape": [20, 30, 1]}
    first = create(tmp_path, data, "--workers=1", **changes)
    second = create(tmp_path, data, "--workers=8", output="second", **changes)
    assert digest(first) == digest(second)
