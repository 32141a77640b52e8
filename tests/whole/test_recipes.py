"""docs/recipes.md: every recipe runs as it stands there, with the real library."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from maskmill import open_dataset
from tests.support.command import ROOT
from tests.support.needs import needs_package
from tests.support.pages import blocks, commands, python_blocks, run

pytestmark = pytest.mark.libraries
TEXT = (ROOT / "docs" / "recipes.md").read_text(encoding="utf-8")
RECIPES = {part.split("\n", 1)[0]: python_blocks(part) for part in TEXT.split("\n## ")[1:]}
COPIES = ("Hugging Face datasets", "WebDataset", "MosaicML Streaming (MDS)", "LitData")
TRAINING = ("segmentation_models.pytorch", "PyTorch Lightning", "accelerate")


@pytest.fixture(name="folder", scope="module")
def make_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the dataset that the page makes."""
    needs_package("streaming", "test-libraries")
    folder = tmp_path_factory.mktemp("recipes")
    (params,) = (block for block in blocks(TEXT) if block.strip().startswith("train_input:"))
    (folder / "params.yaml").write_text(params)
    for command in commands(TEXT):
        run(command, folder)
    return folder


def follow(recipe: str, folder: Path) -> str:
    """Runs a recipe as a script in the folder; its output."""
    (code,) = RECIPES[recipe]
    (folder / "recipe.py").write_text(code)
    return run("python recipe.py", folder)


def test_every_recipe_is_run() -> None:
    assert {*COPIES, *TRAINING, "albumentations", "Croissant"} == set(RECIPES)


def test_augmented_examples_have_the_size_of_the_crop_and_are_those_of_the_seed(folder: Path) -> None:
    output = follow("albumentations", folder)
    numbers, sizes = zip(*(line.split(" ", 1) for line in output.splitlines()), strict=True)
    assert sum(map(int, numbers)) == len(open_dataset(str(folder / "hdf5"), "train_input"))
    assert {size.rsplit(" ", 1)[0] for size in sizes} == {"(1, 224, 224) (1, 224, 224)"}
    assert follow("albumentations", folder) == output


@pytest.mark.parametrize("recipe", TRAINING)
def test_networks_are_trained(folder: Path, recipe: str) -> None:
    losses = [float(loss) for loss in re.findall(r"^loss (\d\.\d+)$", follow(recipe, folder), re.MULTILINE)]
    assert losses
    assert all(0 < loss < 2 for loss in losses)


@pytest.mark.parametrize("recipe", COPIES)
def test_a_copy_has_all_examples(folder: Path, recipe: str) -> None:
    examples = open_dataset(str(folder / "hdf5"), "train_input")
    output = follow(recipe, folder)
    if recipe == "WebDataset":
        assert [line.split()[0] for line in output.splitlines()] == [one.image_id for one in examples]
    else:
        assert output.splitlines()[-1] == f"{examples[0].image_id} (1, 256, 256) {len(examples)}"


def test_croissant_leads_to_the_arrays_of_an_example(folder: Path) -> None:
    splits = {name: open_dataset(str(folder / "hdf5"), name) for name in ("train_input", "eval_input")}
    summary = [f"{name} {len(one)} {one.statistics.mean:.1f}" for name, one in splits.items()]
    first = f"{splits['train_input'][0].image_id} (1, 256, 256) uint8"
    assert follow("Croissant", folder).splitlines() == [*summary, first]
