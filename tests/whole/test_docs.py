"""README.md and docs/: commands work, links lead somewhere, tables are those of the code."""

from __future__ import annotations

import ast
import importlib.util
import re
import runpy
import shlex
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from maskmill.names import LOSSES
from maskmill.pipeline.cli import make_parser
from maskmill.pipeline.errors import MaskmillError
from maskmill.pipeline.runners.beam_options import find_unknown
from tests.support.command import ROOT
from tests.support.pages import blocks, commands, is_synopsis, mentioned_commands, python_blocks, run

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
# Their commands and their Python need PyTorch, and have tests of their own.
TRAINING, RECIPES = ROOT / "docs" / "training.md", ROOT / "docs" / "recipes.md"
# Its Python has tests beside those of the layout.
LAYOUTS = ROOT / "docs" / "layouts.md"
PYTHON = ROOT / "docs" / "python.md"
# Smallest data of the parameter files for other datasets: the CSV and its content, and an image.
OTHER_DATASETS = {
    "airbus_ship_detection": (
        "train_ship_segmentations_v2.csv",
        "ImageId,EncodedPixels\na.jpg,1 2\n",
        "train_v2/a.jpg",
    ),
    "understanding_clouds": ("train.csv", "Image_Label,EncodedPixels\na.jpg_Fish,1 2\n", "train_images/a.jpg"),
    "tgs_salt": ("train.csv", "id,rle_mask\na,\n", "train/images/a.png"),
    "siim_pneumothorax": ("train-rle.csv", "ImageId, EncodedPixels\na, 0 2 3 2\n", "train_png/a.png"),
    "sartorius_cells": ("train.csv", "id,annotation,cell_type\na,1 2,cort\n", "train/a.png"),
    "hubmap_organs": ("train.csv", "id,rle\na,1 2\n", "train_images/a.tiff"),
}
PLATFORMS = sorted((ROOT / "configs").glob("*/README.md"))


def identify(page: Path) -> str:
    return str(page.relative_to(ROOT))


def runs_something(page: Path) -> bool:
    return page not in (TRAINING, RECIPES) and not all(map(is_synopsis, commands(page.read_text(encoding="utf-8"))))


def links(text: str) -> list[str]:
    return re.findall(r"\]\(([^)]+)\)", text)


def pages_with(find: Callable[[str], list[str]]) -> list[Path]:
    """The pages that have what is looked for, which most have."""
    found = [page for page in (*PAGES, *PLATFORMS) if find(page.read_text(encoding="utf-8"))]
    assert len(found) > 8
    return found


@pytest.fixture(name="folder")
def copy_prepared(prepared: Path, tmp_path: Path) -> Path:
    return shutil.copytree(prepared, tmp_path / "folder", symlinks=True)


@pytest.fixture(name="prepared", scope="module")
def prepare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the pages take for granted: data of each kind that they name, and their parameter files beside it."""
    tmp_path = tmp_path_factory.mktemp("prepared")
    run("maskmill sample severstal --images 24 --quiet", tmp_path)
    shutil.copy(ROOT / "configs" / "params_severstal_binary.yaml", tmp_path)
    picture = next((tmp_path / "severstal" / "train_images").glob("*.jpg"))
    for name, (table, text, image) in OTHER_DATASETS.items():
        config = (ROOT / "configs" / f"{name}.yaml").read_text(encoding="utf-8")
        (tmp_path / f"{name}.yaml").write_text(config)
        data = tmp_path / yaml.safe_load(config)["train_input"]["data_dir"]
        (data / image).parent.mkdir(parents=True)
        shutil.copy(picture, data / image)
        (data / table).write_text(text)
    return tmp_path


@pytest.mark.parametrize("page", list(filter(runs_something, PAGES)), ids=identify)
def test_every_command_works_and_prints_what_is_shown(page: Path, folder: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for command in commands(text):
        if is_synopsis(command):
            continue
        output = run(command, folder)
        if command.startswith("python "):
            shown = next(block for block in blocks(text) if block.strip().startswith("class 1:"))
            assert sorted(output.splitlines()) == sorted(shown.strip().splitlines())


@pytest.mark.parametrize("page", pages_with(mentioned_commands), ids=identify)
def test_every_command_that_is_mentioned_names_what_there_is(page: Path) -> None:
    checks = {"maskmill": check_maskmill, "python": check_python, "make": check_make, "pip": check_pip}
    for command in mentioned_commands(page.read_text(encoding="utf-8")):
        checks[command.split()[0]](command)


def check_maskmill(command: str) -> None:
    """Its subcommand, and the options of that; those of Beam where it takes them."""
    parser = make_parser()
    assert parser._subparsers is not None
    parsers = parser._subparsers._group_actions[0].choices
    assert parsers is not None
    _, name, *_ = shlex.split(re.sub(r"[][]", " ", command))
    known = set(parser._option_string_actions)
    if not name.startswith("-"):
        assert name in parsers, command  # type: ignore[operator]
        known = set(parsers[name]._option_string_actions)  # type: ignore[index]
    if name in ("create", "plan"):
        known.update(find_unknown([])[1])
    assert [option for option in options_of(command) if option not in known] == [], command


def check_python(command: str) -> None:
    """Its file or module, and what that says of its options."""
    match = re.match(r"python (-m )?(\S+)", command)
    assert match is not None
    is_there = importlib.util.find_spec(match[2]) if match[1] else (ROOT / match[2]).exists()
    assert is_there, command
    if options := options_of(command):
        explained = run(f"{match[0]} --help", ROOT)
        assert [option for option in options if option not in explained] == [], command


def check_make(command: str) -> None:
    """Its targets, all that it would do; nothing is done."""
    done = subprocess.run(["make", "--dry-run", *command.split()[1:]], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, f"{command}: {done.stderr}"


def check_pip(command: str) -> None:
    """The extras that it installs."""
    tree = ast.parse((ROOT / "setup.py").read_text(encoding="utf-8"))
    [extras] = [node for node in ast.walk(tree) if isinstance(node, ast.keyword) and node.arg == "extras_require"]
    named = [name for names in re.findall(r"\[([^]]*)\]", command) for name in names.split(",")]
    assert [name for name in named if f"'{name}'" not in map(ast.unparse, extras.value.keys)] == [], command  # type: ignore[attr-defined]


def options_of(command: str) -> list[str]:
    return re.findall(r"--\w[\w-]*", command)


def test_python_stands_only_on_pages_whose_python_is_run() -> None:
    assert [page for page in PAGES if python_blocks(page.read_text())] == [
        ROOT / "README.md",
        LAYOUTS,
        PYTHON,
        RECIPES,
        TRAINING,
    ]


def test_the_python_of_the_readme_works(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    [create] = [
        command for command in commands(text) if command.startswith("maskmill create") and "--params" in command
    ]
    run(create, folder)
    monkeypatch.chdir(folder)
    names: dict[str, object] = {"epoch": 0}
    for code in python_blocks(text):
        exec(code, names)
    assert names["image_id"]
    assert not names["result"].published  # type: ignore[attr-defined]


def test_the_python_of_the_page_about_python_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = PYTHON.read_text(encoding="utf-8")
    for command in commands(text):
        run(command, tmp_path)
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    found = [block for block in blocks(text) if not block.strip().startswith("maskmill ")]
    assert found == python_blocks(text)
    for code in found:
        exec(code, names)
    assert names["dropped"] > 0
    assert names["written"] == 4
    assert names["plan"].removed_shards == 4
    assert (tmp_path / names["page"]).exists()
    assert "max_rejected: 'half' is neither" in str(names["caught"])


def test_the_table_of_errors_is_that_of_the_code() -> None:
    rows = re.findall(r"\| `(\w+Error)` \| `(\w+)` \| (\d) \|", PYTHON.read_text(encoding="utf-8"))
    kinds = [MaskmillError, *MaskmillError.__subclasses__()]
    assert rows == [(kind.__name__, kind.code, str(kind.exit_status)) for kind in kinds]


@pytest.mark.parametrize("page", pages_with(links), ids=identify)
def test_links_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target in links(text):
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
