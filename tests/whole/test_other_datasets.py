"""Datasets of this form by other people, by the parameter files in configs/: names, layouts and kinds of files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import yaml

from maskmill import Example, open_dataset
from maskmill.pipeline.cli import main
from maskmill.runs import format_runs, mask_to_runs
from maskmill.transforms.examples.resize import nearest_index
from tests.support.builders import grey_pixels, image_bytes
from tests.support.command import ROOT, manifest
from tests.support.mask_texts import write_mask

Masks = Mapping[str, Mapping[int, np.ndarray]]


def blob(seed: int, height: int, width: int) -> np.ndarray:
    """A mask of two rectangles, bool [height, width]."""
    random = np.random.default_rng(seed)
    mask = np.zeros((height, width), bool)
    for _ in range(2):
        top, left = random.integers(0, height // 2), random.integers(0, width // 2)
        mask[top : top + height // 3, left : left + width // 3] = True
    return mask


def encode(mask: np.ndarray) -> str:
    return format_runs(mask_to_runs(mask))


def resized(mask: np.ndarray, height: int, width: int) -> np.ndarray:
    return mask[np.ix_(nearest_index(mask.shape[0], height), nearest_index(mask.shape[1], width))]


def make(tmp_path: Path, config: str, data: Path) -> dict[str, Example]:
    """Makes and verifies the dataset of a parameter file, with the data elsewhere; its examples by image."""
    text = (ROOT / "configs" / config).read_text()
    given = yaml.safe_load(text)["train_input"]["data_dir"]
    params = tmp_path / "params.yaml"
    params.write_text(text.replace(f"data_dir: {given}", f"data_dir: {data}"))
    output = tmp_path / "out"
    assert main(["create", "--params", str(params), "--output_dir", str(output), "--quiet"]) == 0
    assert main(["verify", str(output), "--quiet"]) == 0
    assert manifest(output)["rejected"] == {}
    return {
        example.image_id: example for split in ("train_input", "eval_input") for example in open_dataset(output, split)
    }


def test_airbus_ships_of_several_rows_an_image_and_no_class(tmp_path: Path) -> None:
    names = [f"{number:09x}.jpg" for number in range(12)]
    folder = tmp_path / "train_v2"
    folder.mkdir()
    rows, masks = [], {}
    for number, name in enumerate(names):
        (folder / name).write_bytes(image_bytes(grey_pixels(number, 768, 768)))
        masks[name] = np.zeros((768, 768), bool)
        for ship in range(number % 4):
            one = blob(10 * number + ship, 768, 768)
            rows.append(f"{name},{encode(one)}")
            masks[name] |= one
        if number % 4 == 0:
            rows.append(f"{name},")
    lines = ["ImageId,EncodedPixels", *rows, ""]
    (tmp_path / "train_ship_segmentations_v2.csv").write_text("\n".join(lines))
    examples = make(tmp_path, "airbus_ship_detection.yaml", tmp_path)
    with_ships = {name for name, mask in masks.items() if mask.any()}
    assert with_ships <= set(examples) < set(names)
    for name, example in examples.items():
        assert np.array_equal(example.label[0], resized(masks[name], 256, 256))


def test_understanding_clouds_of_named_classes_that_overlap(tmp_path: Path) -> None:
    classes = ["Fish", "Flower", "Gravel", "Sugar"]
    folder = tmp_path / "train_images"
    folder.mkdir()
    rows, masks = [], {}
    for number in range(6):
        name = f"{number:07}.jpg"
        (folder / name).write_bytes(image_bytes(grey_pixels(number, 1400, 2100)))
        masks[name] = [blob(10 * number + k, 1400, 2100) if (number >> k) & 1 else None for k in range(4)]
        rows += [
            f"{name}_{kind},{'' if mask is None else encode(mask)}"
            for kind, mask in zip(classes, masks[name], strict=True)
        ]
    (tmp_path / "train.csv").write_text("\n".join(["Image_Label,EncodedPixels", *rows, ""]))
    examples = make(tmp_path, "understanding_clouds.yaml", tmp_path)
    assert set(examples) == {name for name in masks if name != "0000000.jpg"}
    for name, example in examples.items():
        channels = [np.zeros((350, 525), bool) if one is None else resized(one, 350, 525) for one in masks[name]]
        assert np.array_equal(example.label[1:], np.stack(channels))
        assert np.array_equal(example.label[0], ~np.any(channels, axis=0))


@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_tgs_salt_of_png_files_whose_ending_the_csv_leaves_out(tmp_path: Path, mode: str) -> None:
    folder = tmp_path / "train" / "images"
    folder.mkdir(parents=True)
    rows, masks, pictures = [], {}, {}
    for number in range(10):
        name = f"{number:010x}"
        pictures[f"{name}.png"] = grey_pixels(number, 101, 101)
        (folder / f"{name}.png").write_bytes(image_bytes(pictures[f"{name}.png"], mode=mode, kind="PNG"))
        masks[f"{name}.png"] = blob(number, 101, 101) if number % 3 else np.zeros((101, 101), bool)
        rows.append(f"{name},{encode(masks[f'{name}.png'])}")
    (tmp_path / "train.csv").write_text("\n".join(["id,rle_mask", *rows, ""]))
    examples = make(tmp_path, "tgs_salt.yaml", tmp_path)
    assert set(examples) == set(masks)
    for name, example in examples.items():
        assert np.array_equal(example.label[0], masks[name])
        assert np.array_equal(example.image[0], pictures[name])


def test_siim_pneumothorax_of_relative_runs_from_0(tmp_path: Path) -> None:
    folder = tmp_path / "train_png"
    folder.mkdir()
    rows, masks = [], {}
    for number in range(6):
        name = f"1.2.276.0.{number}"
        (folder / f"{name}.png").write_bytes(image_bytes(grey_pixels(number, 1024, 1024), mode="L", kind="PNG"))
        several = [blob(10 * number + k, 1024, 1024) for k in range(number % 3)]
        masks[f"{name}.png"] = np.any([np.zeros((1024, 1024), bool), *several], axis=0)
        relative = {"encoding": "relative", "order": "columns", "first": 0, "separator": "blank"}
        rows += [f"{name}, {write_mask(mask, **relative)}" for mask in several] or [f"{name}, -1"]
    # The competition's header has a blank, too.
    (tmp_path / "train-rle.csv").write_text("\n".join(["ImageId, EncodedPixels", *rows, ""]))
    examples = make(tmp_path, "siim_pneumothorax.yaml", tmp_path)
    assert set(examples) == set(masks)
    for name, example in examples.items():
        assert np.array_equal(example.label[0], resized(masks[name], 512, 512))


def test_sartorius_cells_of_runs_along_the_rows(tmp_path: Path) -> None:
    folder = tmp_path / "train"
    folder.mkdir()
    rows, labels = [], {}
    for number, (kind, class_id) in enumerate([("shsy5y", 1), ("astro", 2), ("cort", 3)] * 2):
        name = f"{number:012x}"
        (folder / f"{name}.png").write_bytes(image_bytes(grey_pixels(number, 520, 704), mode="L", kind="PNG"))
        cells = [blob(10 * number + k, 520, 704) for k in range(3)]
        labels[f"{name}.png"] = class_id * np.any(cells, axis=0)
        pairs = {"encoding": "pairs", "order": "rows", "first": 1, "separator": "blank"}
        rows += [f"{name},{write_mask(cell, **pairs)},704,520,{kind}" for cell in cells]
    (tmp_path / "train.csv").write_text("\n".join(["id,annotation,width,height,cell_type", *rows, ""]))
    examples = make(tmp_path, "sartorius_cells.yaml", tmp_path)
    assert set(examples) == set(labels)
    for name, example in examples.items():
        assert np.array_equal(example.label, labels[name])


def test_hubmap_organs_of_large_tiff_files(tmp_path: Path) -> None:
    folder = tmp_path / "train_images"
    folder.mkdir()
    rows, masks = [], {}
    for number in range(2):
        pixels = np.kron(grey_pixels(number, 30, 30), np.ones((100, 100), np.uint8))
        (folder / f"{number}.tiff").write_bytes(image_bytes(pixels, kind="TIFF", compression="tiff_lzw"))
        masks[f"{number}.tiff"] = blob(number, 3000, 3000)
        rows.append(f"{number},kidney,HPA,3000,3000,{encode(masks[f'{number}.tiff'])}")
    (tmp_path / "train.csv").write_text("\n".join(["id,organ,data_source,img_height,img_width,rle", *rows, ""]))
    examples = make(tmp_path, "hubmap_organs.yaml", tmp_path)
    assert set(examples) == set(masks)
    for name, example in examples.items():
        assert np.array_equal(example.label[0], resized(masks[name], 768, 768))
