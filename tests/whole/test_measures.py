"""What a dataset says of its examples without their pixels is what their pixels say."""

from __future__ import annotations

import json
import math
from collections import Counter
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from maskmill import Dataset, Statistics, open_dataset
from tests.support.builders import write_dataset, write_params
from tests.support.command import create, create_here, manifest, run_here
from tests.support.datasets import make_dataset

# Pixels of column 0, from the top; classes 1, 3 and 4 overlap in a.jpg.
ROWS = [
    *("a.jpg,3,3 4", "a.jpg,1,1 4", "a.jpg,4,9 1", "b.jpg,1,1 2", "c.jpg,4,1 1", "d.jpg,4,-1", "e.jpg,1,5 100"),
    *("f.jpg,3,2 7", "g.jpg,4,300 3", "h.jpg,3,-1", "i.jpg,1,7 7"),
]
LOSSES: list[tuple[str, dict[str, Any], list[str]]] = [
    ("bce", {"class_id": 1}, ["1"]),
    ("bce", {"class_id": [1, 3, 4]}, ["any of 1, 3, 4"]),
    ("multilabel_bce", {"class_id": [4, 1, 3], "num_classes": 6}, ["4", "1", "3"]),
    ("ssce", {"class_id": [4, 1, 3], "num_classes": 4}, ["4", "1", "3"]),
]


@pytest.fixture(name="data")
def write_data(tmp_path: Path) -> Path:
    return write_dataset(tmp_path / "data", ROWS)


def areas_by_loop(label: np.ndarray, loss: str, classes: int) -> list[int]:
    """Counts the pixels of each class one after the other."""
    if loss == "ssce":
        return [sum(pixel == number + 1 for pixel in label.ravel().tolist()) for number in range(classes)]
    first = 1 if loss == "multilabel_bce" else 0
    return [sum(pixel == 1 for pixel in label[first + number].ravel().tolist()) for number in range(classes)]


def check_statistics(found: Statistics, images: list[np.ndarray], areas: list[list[int]]) -> None:
    """Compares with a loop over all pixels, in exact arithmetic until the last step."""
    pixels = [pixel for image in images for pixel in image.ravel().tolist()]
    mean = Fraction(sum(pixels), len(pixels))
    assert found.mean == float(mean)
    variance = Fraction(sum(pixel**2 for pixel in pixels), len(pixels)) - mean**2
    assert found.std == math.sqrt(float(variance))
    totals = [sum(column) for column in zip(*areas, strict=True)]
    assert found.pixel_share.tolist() == [float(Fraction(total, len(pixels))) for total in totals]
    weights = [float(Fraction(len(pixels) - total, total)) if total else math.inf for total in totals]
    assert found.pos_weight.tolist() == weights


def check_dataset(examples: Dataset, loss: str, names: list[str]) -> None:
    """Compares what a dataset records with its images and labels."""
    assert examples.class_names == tuple(names)
    areas = [areas_by_loop(one.label, loss, len(names)) for one in examples]
    assert (examples.areas.dtype, examples.areas.tolist()) == (np.int32, areas)
    check_statistics(examples.statistics, [one.image for one in examples], areas)


def check_manifest(entry: dict[str, Any], found: Statistics, names: list[str]) -> None:
    """Compares the numbers in the manifest with those of the reader."""
    assert (entry["mean"], entry["std"]) == (found.mean, found.std)
    assert list(entry["pixel_share"]) == list(entry["pos_weight"]) == names
    assert list(entry["pixel_share"].values()) == found.pixel_share.tolist()
    weights = [math.inf if weight is None else weight for weight in entry["pos_weight"].values()]
    assert weights == found.pos_weight.tolist()


@pytest.mark.parametrize(("loss", "changes", "names"), LOSSES)
def test_they_are_what_a_loop_over_all_pixels_counts(
    tmp_path: Path, data: Path, loss: str, changes: dict[str, Any], names: list[str]
) -> None:
    output = create(tmp_path, data, "--num_output_files=3", loss=loss, train_test_split=0.6, **changes)
    for split in ("train_input", "eval_input"):
        examples = open_dataset(output, split)
        assert len(examples)
        check_dataset(examples, loss, names)
        check_manifest(manifest(output)["splits"][split]["statistics"], examples.statistics, names)


def test_those_of_a_part_are_of_its_examples(tmp_path: Path, data: Path) -> None:
    examples = open_dataset(create(tmp_path, data, class_id=[1, 3], loss="ssce", num_classes=3, train_test_split=1.0))
    part = examples[[5, 0, 0, 3]]
    check_dataset(part, "ssce", ["1", "3"])
    assert part.areas.tolist() == examples.areas[[5, 0, 0, 3]].tolist()
    assert part.image_hashes.tolist() == examples.image_hashes[[5, 0, 0, 3]].tolist()
    check_dataset(part[1:], "ssce", ["1", "3"])


@pytest.mark.parametrize(
    "flags",
    [["--num_output_files=7", "--num_processes=2"], ["--workers=1"], ["--direct_running_mode=multi_processing"]],
    ids=["other shards", "one worker", "processes of Beam"],
)
def test_they_do_not_depend_on_shards_workers_and_runner(tmp_path: Path, data: Path, flags: list[str]) -> None:
    changes: dict[str, Any] = {"class_id": [1, 3, 4], "loss": "multilabel_bce", "num_classes": 4}
    outputs = [
        create(tmp_path, data, output="one", **changes),
        create(tmp_path, data, *flags, output="other", **changes),
    ]
    one, other = (manifest(output)["splits"] for output in outputs)
    for split in one:
        assert one[split]["statistics"] == other[split]["statistics"]
        pairs = [open_dataset(output, split) for output in outputs]
        assert pairs[0].areas.tolist() == pairs[1].areas.tolist()
        assert pairs[0].image_hashes.tolist() == pairs[1].image_hashes.tolist()


def test_kept_and_reused_shards_count(tmp_path: Path, data: Path) -> None:
    changes: dict[str, Any] = {"class_id": [1, 3, 4], "loss": "ssce", "num_classes": 4, "train_test_split": 1.0}
    create(tmp_path, data, "--num_output_files=3", output="days/1", **changes)
    (data / "train_images" / "a.jpg").write_bytes((data / "train_images" / "b.jpg").read_bytes())
    params = write_params(tmp_path / "params.yaml", data, **changes)
    for output, states in (("days/1", {"written": 1, "kept": 2}), ("days/2", {"reused": 3})):
        create_here(params, tmp_path / output, "--num_output_files=3", f"--reuse={tmp_path / 'days'}", "--quiet")
        last = json.loads((tmp_path / output / "history.jsonl").read_text().splitlines()[-1])
        assert Counter(states) == Counter(last["shards"]["train_input"])
        examples = open_dataset(tmp_path / output)
        check_dataset(examples, "ssce", ["1", "3", "4"])
        entry = manifest(tmp_path / output)["splits"]["train_input"]
        check_manifest(entry["statistics"], examples.statistics, ["1", "3", "4"])
        assert entry["shards"][0]["areas"] == examples[::3].areas.sum(axis=0).tolist()


def test_staged_shards_of_a_run_that_failed_count(tmp_path: Path, data: Path) -> None:
    changes: dict[str, Any] = {"class_id": 1, "train_test_split": 1.0}
    image = data / "train_images" / "b.jpg"
    content = image.read_bytes()
    image.write_bytes(b"no image")
    create(tmp_path, data, "--num_output_files=3", status=3, **changes)
    image.write_bytes(content)
    output = create(tmp_path, data, "--num_output_files=3", **changes)
    check_dataset(open_dataset(output), "bce", ["1"])
    check_manifest(manifest(output)["splits"]["train_input"]["statistics"], open_dataset(output).statistics, ["1"])


def test_rejected_examples_do_not_count_and_shards_may_be_empty(tmp_path: Path) -> None:
    output = make_dataset(tmp_path)
    for split in ("train_input", "eval_input"):
        check_dataset(open_dataset(output, split), "bce", ["3"])


def test_a_split_without_examples_has_no_statistics(tmp_path: Path, data: Path) -> None:
    output = create(tmp_path, data, class_id=1, train_test_split=1.0)
    assert manifest(output)["splits"]["eval_input"]["statistics"] is None
    examples = open_dataset(output, "eval_input")
    assert (len(examples.areas), len(examples.image_hashes), examples.class_names) == (0, 0, ())


def test_equal_images_have_equal_hashes_and_others_do_not(tmp_path: Path, data: Path) -> None:
    (data / "train_images" / "e.jpg").write_bytes((data / "train_images" / "b.jpg").read_bytes())
    examples = open_dataset(create(tmp_path, data, class_id="all", train_test_split=1.0))
    hashes = {
        one.image_id: image_hash for one, image_hash in zip(examples, examples.image_hashes.tolist(), strict=True)
    }
    assert hashes["e.jpg"] == hashes["b.jpg"]
    assert len(set(hashes.values())) == len(hashes) - 1


def test_verify_finds_a_whole_dataset_whole(tmp_path: Path, data: Path) -> None:
    for loss, changes, _ in LOSSES:
        output = create(tmp_path, data, output=f"{loss}-{len(changes)}-{changes['class_id']}", loss=loss, **changes)
        run_here("verify", output)
