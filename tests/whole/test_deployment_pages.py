"""The pages about Dataflow and schedules: what they name is there, and their figures are those of the code."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from maskmill.names import LATEST, MANIFEST
from maskmill.pipeline.cli import make_parser
from maskmill.pipeline.runners.beam_options import find_unknown
from maskmill.transforms.sink.read_ahead import READ_AHEAD_BYTES
from maskmill.transforms.sink.write_in_parallel import LOOK_AHEAD_BYTES
from maskmill.transforms.sink.write_shards import SHARDS_AT_A_TIME
from tests.support.command import ROOT

DATAFLOW = ROOT / "configs" / "dataflow" / "README.md"
SCHEDULE = ROOT / "configs" / "schedule" / "README.md"
PAGES = [DATAFLOW, SCHEDULE]
# Files of a dataset.
MADE = {MANIFEST, LATEST}


def read(page: Path) -> str:
    """The page, with each command on one line."""
    return re.sub(r"\\\n\s*", " ", page.read_text(encoding="utf-8"))


def code(page: Path) -> list[str]:
    """What stands between backticks or is indented."""
    text = read(page)
    return [*re.findall(r"`([^`\n]+)`", text), *re.findall(r"^    +(\S.*)$", text, re.MULTILINE)]


def known_options() -> set[str]:
    """Options of `create`, and of Beam."""
    parsed = make_parser().parse_args(["create", "--params=p.yaml"])
    return {*parsed.known_options.options, *find_unknown([])[1]}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.parent.name)
def test_every_option_exists(page: Path) -> None:
    named = [part for part in code(page) if part.startswith(("--", "maskmill create"))]
    options = {option for part in named for option in re.findall(r"--\w+", part)}
    assert options
    assert options - known_options() == set()


def test_every_parameter_of_a_template_exists() -> None:
    metadata = json.loads((DATAFLOW.parent / "metadata.json").read_text())
    parameters = {entry["name"] for entry in metadata["parameters"]} | {name[2:] for name in known_options()}
    given = re.findall(r"(?:--parameters=|,)(\w+)=", read(DATAFLOW))
    assert len(given) > 3
    assert [name for name in given if name not in parameters] == []


def test_every_option_of_the_dag_exists() -> None:
    [example] = re.findall(r"^    ({.*?}})$", read(SCHEDULE), re.MULTILINE | re.DOTALL)
    options = json.loads(example)["options"]
    assert options
    assert {f"--{name}" for name in options} - known_options() == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.parent.name)
def test_every_path_exists(page: Path) -> None:
    folders = r"(?:configs|docs|pipeline|tests|transforms|\.)/[\w./]*\w"
    words = [word for part in code(page) for word in re.split(r"[\s=,]+", part)]
    paths = [word for word in words if re.fullmatch(rf"{folders}|[\w]+\.(?:json|md|py|service|sh|timer|yaml)", word)]
    missing = [path for path in paths if not (ROOT / path).exists() and not (page.parent / path).exists()]
    assert len(paths) > 3
    assert set(missing) - MADE == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.parent.name)
def test_every_target_of_make_exists(page: Path) -> None:
    targets = re.findall(r"make\s+(test-\w+)", read(page))
    assert targets
    subprocess.run(["make", "--dry-run", *targets], cwd=ROOT, capture_output=True, timeout=60, check=True)


def test_the_page_of_schedules_names_every_file_beside_it() -> None:
    beside = {path.name for path in SCHEDULE.parent.iterdir() if path.is_file()} - {SCHEDULE.name}
    assert beside - set(code(SCHEDULE)) == set()


def test_the_memory_of_a_machine_is_that_of_the_code() -> None:
    ahead = f"{SHARDS_AT_A_TIME} × ({READ_AHEAD_BYTES >> 20} + {LOOK_AHEAD_BYTES >> 20}) MiB"
    formula = f"P × (250 MB + {ahead} + C × 6 bytes × pixels of the largest image)"
    assert formula in code(DATAFLOW)
    bounds = SHARDS_AT_A_TIME * (READ_AHEAD_BYTES + LOOK_AHEAD_BYTES)
    for pixels, threads, shown in ((256 * 1600, 4, "2.6 GB"), (10**8, 4, "12 GB"), (10**8, 1, "5 GB")):
        gigabytes = 4 * (250e6 + bounds + threads * 6 * pixels) / 1e9
        assert f"{gigabytes:.1f} GB" == shown or f"{gigabytes:.0f} GB" == shown
        assert shown in read(DATAFLOW)
    assert f"`P × {SHARDS_AT_A_TIME} × size of the largest shard`" in read(DATAFLOW)
