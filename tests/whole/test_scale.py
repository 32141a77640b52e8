"""docs/scale.md: its inputs were measured, its figures follow from them by its formulas, and its simulation runs."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest

from maskmill.example_list import ListedExample, write_example_list
from maskmill.names import ShardName
from tests.benchmarks import bench, rows_only
from tests.support.command import ROOT

TEXT = (ROOT / "docs" / "scale.md").read_text(encoding="utf-8")
RESULTS = json.loads(bench.RESULTS.read_text())
UNITS = {"ms": 1e-3, "s": 1, "h": 3600, "kB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12, "million": 1e6, "billion": 1e9}
PYTHON = {"·": "*", "₁": "1", "₂": "2", "₃": "3", "10⁶": "1e6", "512 KiB": "2**19", "1 h": "3600"}


def rows() -> list[list[str]]:
    """The cells of all tables."""
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in TEXT.splitlines() if line.startswith("|")]


def amount(cell: str) -> tuple[float, float]:
    """A figure in seconds, bytes, dollars or pieces, and half of its last digit."""
    match = re.match(r"([\d,]+(?:\.(\d+))?) ?(\w*)", cell)
    assert match is not None, cell
    unit = UNITS.get(match[3], 1)
    return float(match[1].replace(",", "")) * unit, 0.5 * 10 ** -len(match[2] or "") * unit


def in_python(formula: str) -> str:
    """A formula of the page as an expression."""
    for sign, python in PYTHON.items():
        formula = formula.replace(sign, python)
    return formula


def inputs() -> dict[str, float]:
    """What was measured and assumed, by symbol."""
    found = {}
    for first, value, *_ in rows():
        if (symbol := re.match(r"`(\w+)`, ", first)) and symbol[1] != "S":
            found[in_python(symbol[1])] = amount(value)[0]
    return found


FORMULAS = [row for row in rows() if len(row) == 4 and re.fullmatch(r"`[^`]+`", row[1])]


@pytest.mark.parametrize("images", [10**6, 10**9])
@pytest.mark.parametrize("row", FORMULAS, ids=lambda row: row[0])
def test_a_figure_follows_from_its_formula(row: list[str], images: int) -> None:
    known: Mapping[str, float] = inputs() | {"n": images}
    value = eval(in_python(row[1].strip("`")), {**known, "S": images / known["e"]})
    shown, rounding = amount(row[2 if images == 10**6 else 3])
    assert value == pytest.approx(shown, rel=0.01, abs=rounding)


def test_the_tables_have_what_is_tried_above() -> None:
    assert len(FORMULAS) > 15
    assert set("dcjhmvxyoqaerlkgw") | {"b1", "b2", "b3"} <= inputs().keys()


def test_the_bytes_of_a_listed_example_are_those_of_the_page() -> None:
    versions = ("0123abcd", "0123abcd")
    examples = [
        ListedExample("0002cc93b.jpg", f"train_input/{ShardName('preprocessed_data', shard, 0)}", example, *versions)
        for shard in range(1000)
        for example in range(0, 1000, 7)
    ]
    assert len(write_example_list(examples)) / len(examples) == pytest.approx(inputs()["x"], abs=0.5)


def measured(group: str) -> Mapping[str, Any]:
    """What a group of the benchmark has found for 256 x 256."""
    if group not in RESULTS:
        pytest.skip(f"the benchmark's group {group} has not been measured")
    return next(figure for figure in RESULTS[group]["figures"] if figure["size"] == [256, 256])


def test_the_bytes_of_an_example_are_those_that_were_measured() -> None:
    size = measured("storage")["bytes"]
    assert f"| {size / 1000:.0f} kB | {size / 1024:.1f} KiB, `make bench` |" in TEXT


def test_the_time_of_an_example_is_that_which_was_measured() -> None:
    milliseconds = sum(measured("steps")["microseconds"]["maskmill"].values()) / 1000
    assert f"| {milliseconds:.1f} ms of a core | the sum of its [steps](speed.md#where-the-time-goes), `" in TEXT


def test_the_simulation_without_pixels_loses_no_row(capsys: pytest.CaptureFixture[str]) -> None:
    rows_only.main(["--rows=4000", "--shards=4"])
    found = json.loads(capsys.readouterr().out)
    assert (found["read"], found["examples"]) == (4000, 1000)
