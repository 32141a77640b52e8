"""docs/training.md: every command in it does what it says, and so does its Python."""

from __future__ import annotations

import re
import runpy
import textwrap
from pathlib import Path
from statistics import mean
from types import SimpleNamespace
from typing import Any

import pytest

from maskmill import open_dataset
from tests.support.builders import write_params
from tests.support.command import ROOT, create_here
from tests.support.needs import needs_package
from tests.support.pages import blocks, commands, python_blocks, run

pytestmark = pytest.mark.torch
TEXT = (ROOT / "docs" / "training.md").read_text()


@pytest.fixture(name="folder", scope="module")
def make_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("training")


@pytest.fixture(name="outputs", scope="module")
def follow_the_page(folder: Path) -> dict[str, str]:
    """Does what the page says, in an empty folder; output by command."""
    needs_package("torch", "torch")
    needs_package("accelerate", "test-torch")
    (params,) = (block for block in blocks(TEXT) if block.strip().startswith("train_input:"))
    (folder / "params.yaml").write_text(params)
    outputs = {command: run(command, folder) for command in commands(TEXT)}
    assert (folder / "train_input-3.png").stat().st_size > 0
    return outputs


def losses(text: str) -> list[float]:
    return [float(loss) for loss in re.findall(r"step +\d+: loss (\d\.\d+)", text)]


def test_all_commands_of_the_page_were_run(outputs: dict[str, str]) -> None:
    scripts = ["docs/train.py", "docs/train_accelerate.py"]
    assert [line.split()[1] for line in outputs] == ["sample", "create", "verify", "show", *scripts]


def check_padding(names: dict[str, Any], colours: str, padding: str) -> None:
    """Runs the lines about colours and padding on a dataset with both, and computes the last loss again."""
    shape = {"image_shape": [256, 256, 1], "train_test_split": 0.1}
    params = write_params(Path("padded.yaml"), Path("data"), **shape, maskmill={"colour": "rgb", "resize": "pad"})
    create_here(params, Path("padded"))
    names["examples"] = open_dataset("padded")
    names["network"] = lambda images: images[:, :1]
    exec(colours, names)
    exec(padding, names)
    images, labels = names["images"], names["labels"]
    assert images.shape[1:] == (3, 256, 256)
    # The images are 256 x 1600: 41 rows of the example.
    assert names["inside"].sum() == len(images) * 41 * 256
    inside = (slice(None), slice(None), slice(107, 148))
    logits, wanted = images[:, :1][inside].double(), labels[inside].double()
    expected = (logits.clamp(min=0) - logits * wanted + (-logits.abs()).exp().log1p()).mean()
    assert names["loss"].item() == pytest.approx(expected.item(), rel=1e-4)


def test_the_python_of_the_page_loads_batches(
    folder: Path, outputs: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    # What Lightning and accelerate do with a loader is theirs.
    trainer = SimpleNamespace(fit=lambda module, loader: list(loader))
    names: dict[str, Any] = {"trainer": trainer, "module": None, "accelerator": SimpleNamespace(prepare=list)}
    first, epochs, again, numbers, balanced, folds, colours, padding, crops, *others = python_blocks(TEXT)
    cached, library, predicting, processor = others
    exec(first, names)
    assert [name for name in ("images", "labels") if tuple(names[name].shape[1:]) != (1, 256, 256)] == []
    steps = names["loader"].dataset.plan.steps
    # Cut off in the third batch of the last epoch.
    exec(
        epochs.replace("...\n", "if loader.state_dict()['epoch'] == 2 and loader.state_dict()['step'] == 3: break\n"),
        names,
    )
    assert names["checkpoint"]["loader"]["step"] == 2
    exec(again, names)
    assert names["first_epoch"] == 2
    assert len(list(names["loader"])) == steps - 2
    exec(numbers, names)
    assert 0 < len(names["with_defect"]) <= len(names["examples"])
    exec(balanced, names)
    images, labels = next(iter(names["loader"]))
    assert names["loss"](images / 255, labels).item() > 0
    (keys,) = (block for block in blocks(TEXT) if block.strip().startswith("maskmill:"))
    Path("folds.yaml").write_text(f"{Path('params.yaml').read_text()}\n{textwrap.dedent(keys)}")
    create_here(Path("folds.yaml"), Path("folds"))
    exec(folds, names)
    assert len(names["train"]) + len(names["evaluation"]) == len(open_dataset("folds", names["folds"]))
    assert sum(len(images) for images, _ in names["loader"]) == len(names["train"])
    check_padding(dict(names), colours, padding)
    ours = {"crops": {"size": [256, 256], "source": [256, 1600]}}
    params = write_params(folder / "crops.yaml", folder / "data", image_shape=[256, 256, 1], maskmill=ours)
    create_here(params, folder / "crops")
    exec(crops, names)
    assert names["prediction"].shape == (1, 256, 1600)
    exec(cached.replace("gs://bucket/hdf5", "hdf5").replace("/mnt/disk/cache", "cache"), names)
    assert sum(len(images) for images, _ in names["loader"]) == len(names["examples"])
    assert list((folder / "cache").iterdir())
    exec(library, names)
    assert sum(len(images) for images, _ in names["loader"]) == len(names["examples"])
    names["network"] = runpy.run_path(str(ROOT / "docs" / "train.py"))["Network"](1)
    exec(predicting, names)
    lines = (folder / "submission.csv").read_text().splitlines()
    assert lines[0] == "ImageId,ClassId,EncodedPixels"
    assert {line.split(",")[0] for line in lines[1:]} <= set(names["test"].image_ids)
    assert len(names["test"]) == 200
    exec(processor, names)
    assert next(iter(names["loader"]))[0].shape == (8, 1, 256, 256)


def test_a_loss_on_crops_falls_faster_than_on_squeezed_images(tmp_path: Path) -> None:
    needs_package("torch", "torch")
    output = run("python docs/train_on_crops.py --images 120 --steps 120 --output curves.svg", tmp_path)
    curves = {
        kind: [float(loss) for loss in re.findall(rf"^{kind}: step +\d+: loss (\d\.\d+)$", output, re.MULTILINE)]
        for kind in ("squeezed", "crops")
    }
    assert [len(curve) for curve in curves.values()] == [7, 7]
    assert curves["crops"][0] == pytest.approx(curves["squeezed"][0], abs=0.1)
    assert curves["crops"][-1] < curves["squeezed"][-1]
    assert mean(curves["crops"]) < mean(curves["squeezed"])
    # As many points as losses, in the colour of each curve.
    paths = re.findall(r'<path d="([^"]*)" fill="none"', (tmp_path / "curves.svg").read_text())
    assert [path.count("L") for path in paths] == [6, 6]


SCRIPTS = ["train", "train_accelerate"]


@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize(
    "changes",
    [
        {"loss": "multilabel_bce", "num_classes": 5, "class_id": [1, 2, 3, 4]},
        {"loss": "multilabel_bce", "num_classes": 3, "class_id": [3, 4], "maskmill": {"label_dtype": "uint8"}},
        {"loss": "ssce", "num_classes": 5, "class_id": [1, 2, 3, 4]},
        {"loss": "ssce", "num_classes": 1, "class_id": 3, "maskmill": {"label_dtype": "uint8"}},
        {"loss": "bce", "maskmill": {"label_dtype": "uint8"}},
        {"loss": "bce", "maskmill": {"colour": "rgb", "resize": "pad"}},
    ],
    ids=["multilabel", "multilabel as uint8", "ssce", "ssce of one class", "bce as uint8", "colours"],
)
def test_the_scripts_train_on_labels_of_every_loss(
    outputs: dict[str, str], folder: Path, tmp_path: Path, script: str, changes: dict[str, Any]
) -> None:
    # A height that is no multiple of 4, too.
    shape = {"image_shape": [62, 101, 1], "train_test_split": 0.85}
    params = write_params(tmp_path / "params.yaml", folder / "data", **shape, **changes)
    create_here(params, tmp_path / "hdf5")
    first, *rest = losses(run(f"python docs/{script}.py hdf5", tmp_path))
    assert len(rest) == 4
    assert mean(rest[-3:]) < first / 2


@pytest.mark.parametrize("script", SCRIPTS)
def test_the_loss_falls(outputs: dict[str, str], script: str) -> None:
    first, *rest = losses(outputs[f"python docs/{script}.py hdf5"])
    assert len(rest) == 4
    # Of single batches, which differ.
    assert mean(rest[-3:]) < first / 2


def test_the_page_shows_what_is_printed(outputs: dict[str, str]) -> None:
    [shown] = [block for block in blocks(TEXT) if losses(block)]
    assert without_losses(shown) == without_losses(outputs["python docs/train.py hdf5"])


def without_losses(text: str) -> str:
    """The lines; PyTorch's sums differ from one machine and one version to another."""
    return re.sub(r"loss \d\.\d{3}$", "loss", text.strip(), flags=re.MULTILINE)
