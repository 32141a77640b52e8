"""README.md and docs/: commands work, links lead somewhere, tables are those of the code."""

from __future__ import annotations

import re
import runpy
import shlex
import shutil
import textwrap
from pathlib import Path

import pytest

from pipeline.parser import make_parser
from tests.command import ROOT
from tests.pages import blocks, commands, is_synopsis, run
from transforms.label import LOSSES

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
# Its commands need PyTorch, and have tests of their own.
TRAINING = ROOT / "docs" / "training.md"


def identify(page: Path) -> str:
    return page.name


@pytest.fixture(name="folder")
def prepare(tmp_path: Path) -> Path:
    """What the pages take for granted: data of each kind that they name, and their parameter files beside it."""
    run("steelbeam sample severstal --images 24 --quiet", tmp_path)
    shutil.copy(ROOT / "configs" / "params_severstal_binary.yaml", tmp_path)
    for name, images, table in (
        ("airbus_ship_detection", "airbus-ship-detection/train_v2", "train_ship_segmentations_v2.csv"),
        ("understanding_clouds", "understanding_cloud_organization/train_images", "train.csv"),
        ("tgs_salt", "tgs-salt-identification-challenge/train/images", "train.csv"),
    ):
        shutil.copy(ROOT / "configs" / f"{name}.yaml", tmp_path)
        (tmp_path / images).mkdir(parents=True)
        shutil.copy(next((tmp_path / "severstal" / "train_images").glob("*.jpg")), tmp_path / images / "a.jpg")
        rows = {"a": "ImageId,EncodedPixels\na.jpg,1 2\n", "u": "Image_Label,EncodedPixels\na.jpg_Fish,1 2\n"}
        text = rows.get(name[0], "id,rle_mask\na,\n")
        (tmp_path / images.split("/")[0] / table).write_text(text)
    return tmp_path


@pytest.mark.parametrize("page", [page for page in PAGES if page != TRAINING], ids=identify)
def test_every_command_works_and_prints_what_is_shown(page: Path, folder: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for command in commands(text):
        if is_synopsis(command):
            continue
        output = run(command, folder)
        if command.startswith("python "):
            shown = next(block for block in blocks(text) if block.strip().startswith("class 1:"))
            assert sorted(output.splitlines()) == sorted(shown.strip().splitlines())


@pytest.mark.parametrize("page", PAGES, ids=identify)
def test_every_synopsis_names_a_command_and_its_options(page: Path) -> None:
    subparsers = make_parser()._subparsers
    assert subparsers is not None
    known = subparsers._group_actions[0].choices
    for command in filter(is_synopsis, commands(page.read_text(encoding="utf-8"))):
        if program := re.match(r"python (?:-m )?\S+", command):
            run(f"{program[0]} --help", ROOT)
            continue
        _, name, *_ = shlex.split(command.replace("[", " ").replace("]", " "))
        assert name in known
        options = re.findall(r"--\w+", command)
        assert [option for option in options if option not in known[name]._option_string_actions] == []  # type: ignore[index]


def test_the_python_of_the_readme_works(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    [create] = [
        command for command in commands(text) if command.startswith("steelbeam create") and "--params" in command
    ]
    run(create, folder)
    monkeypatch.chdir(folder)
    [code] = [block for block in blocks(text) if block.strip().startswith("from steelbeam import")]
    names: dict[str, object] = {"epoch": 0}
    exec(textwrap.dedent(code), names)
    assert names["image_id"]


@pytest.mark.parametrize("page", PAGES, ids=identify)
def test_links_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)]+)\)", text):
        path, _, anchor = target.partition("#")
        linked = page if not path else page.parent / path
        assert linked.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", linked.read_text(encoding="utf-8"), re.MULTILINE)
            anchors = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
            assert anchor in anchors, target


def test_the_tables_of_the_parameters_are_those_of_the_models() -> None:
    page = ROOT / "docs" / "parameters.md"
    text = page.read_text(encoding="utf-8")
    updated = runpy.run_path(str(ROOT / "docs" / "write_parameters.py"))["updated"]
    assert updated(text) == text, "python docs/write_parameters.py writes them anew"
    assert [loss for loss in LOSSES if f"| `{loss}` |" not in text] == []
