"""The dataset is the one that the original wrote: every configuration, every example."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import h5py
import numpy as np
import pytest

from maskmill import open_dataset
from tests.support.command import run_create

GOLDEN = Path(__file__).parents[1] / "golden"
CONFIGS = sorted(path.parent.name for path in GOLDEN.glob("*/expected.json"))
SPLITS = ("train_input", "eval_input")
WITHOUT_RESIZE = {"bce_256x1600", "bce_512x1600_tiled"}


def test_there_are_golden_configurations() -> None:
    assert len(CONFIGS) == 9


@pytest.fixture(scope="module", params=CONFIGS)
def dataset(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path, dict]:
    """Name of a configuration, what maskmill wrote for it, and what the original wrote."""
    output_dir = tmp_path_factory.mktemp(request.param) / "out"
    expected = json.loads((GOLDEN / request.param / "expected.json").read_text())
    flags = [f"--{key}={value}" for key, value in expected["input_args"].items()]
    # data_dir of these parameter files is relative to the folder.
    run_create(GOLDEN / request.param / "params.yaml", output_dir, *flags, cwd=GOLDEN)
    return request.param, output_dir, expected


def test_files_hold_as_many_examples_as_the_original(dataset: tuple[str, Path, dict]) -> None:
    _, output_dir, expected = dataset
    for split in SPLITS:
        counts = {}
        for path in (output_dir / split).iterdir():
            with h5py.File(path) as file:
                assert file.attrs["n_examples"].dtype == np.int64
                assert len(file) == file.attrs["n_examples"]
                counts[path.name] = int(file.attrs["n_examples"])
        assert counts == expected[split]["files"]


def test_labels_are_equal_to_the_bit(dataset: tuple[str, Path, dict]) -> None:
    _, output_dir, expected = dataset
    for split in SPLITS:
        for example in expected[split]["examples"]:
            assert _digest(output_dir / split, example, "label") == example["label"]


def test_images_are_where_the_original_has_them(dataset: tuple[str, Path, dict]) -> None:
    name, output_dir, expected = dataset
    for split in SPLITS:
        for example in expected[split]["examples"]:
            found = _digest(output_dir / split, example, "image")
            if name in WITHOUT_RESIZE:
                assert found == example["image"]
            else:
                assert found | {"sha256": None} == example["image"] | {"sha256": None}


def test_resized_images_are_within_one_grey_level_in_one_of_ten_thousand_pixels(
    dataset: tuple[str, Path, dict],
) -> None:
    name, output_dir, expected = dataset
    if name in WITHOUT_RESIZE:
        assert not (GOLDEN / name / "images.npz").exists()
        return
    images = np.load(GOLDEN / name / "images.npz")
    assert len(images.files) > 0
    for key in images.files:
        split, position = key.split("/")
        example = expected[split]["examples"][int(position)]
        with h5py.File(output_dir / split / example["file"]) as file:
            found = file[example["example"]]["image"][()].astype(int)
        difference = np.abs(found - images[key].astype(int))
        assert difference.max() <= 1
        assert np.count_nonzero(difference) <= difference.size / 10_000


def test_the_reader_gives_the_examples_by_position_with_the_names_of_their_images(
    dataset: tuple[str, Path, dict],
) -> None:
    _, output_dir, expected = dataset
    for split in SPLITS:
        examples = open_dataset(output_dir, split)
        assert len(examples) == len(expected[split]["examples"])
        for example in expected[split]["examples"]:
            image, label, image_id = examples[example["position"]]
            assert image_id == example["image_id"]
            assert _describe(label) == example["label"]
            assert _describe(image) == _digest(output_dir / split, example, "image")


def test_meta_files_list_every_shard_in_order(dataset: tuple[str, Path, dict]) -> None:
    _, output_dir, expected = dataset
    for split in SPLITS:
        files = sorted(expected[split]["files"].items(), key=lambda item: int(item[0].split("-")[1].split("_")[0]))
        lines = [f"{output_dir}/{split}/{name} {count}" for name, count in files]
        assert (output_dir / f"meta_{split}.dat").read_text().splitlines() == lines


def test_data_params_say_what_the_original_says(dataset: tuple[str, Path, dict]) -> None:
    _, output_dir, expected = dataset
    data_params = json.loads((output_dir / "data_params.json").read_text())
    for split in SPLITS:
        assert data_params[f"{split}_hdf"] == expected[split]["hdf"]
        written = dict(data_params[split])
        assert written.pop("data_dir") == "data"
        assert written == expected[split]["parameters"]
    assert expected["input_args"].items() <= data_params["input_args"].items()
    assert {"model", "optimizer", "runconfig"} <= data_params.keys()


def _digest(folder: Path, example: dict, dataset: str) -> dict:
    with h5py.File(folder / example["file"]) as file:
        array = file[example["example"]][dataset][()]
    return _describe(array)


def _describe(array: np.ndarray) -> dict:
    return {
        "dtype": str(array.dtype),
        "shape": list(array.shape),
        "sha256": hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest(),
    }
