"""The benchmark runs, keeps what it did not measure anew, and the tables in the README are those of its results."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.benchmarks import bench, datasets
from tests.benchmarks.report import BEGIN, END, replace_tables, to_markdown
from tests.support.command import ROOT


@pytest.mark.slow
def test_a_group_is_measured_and_the_others_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets, "DATA", tmp_path / "data")
    monkeypatch.setattr(datasets, "DRAWN_IMAGES", 60)
    results, readme = tmp_path / "results.json", tmp_path / "README.md"
    old = {"machine": bench.describe_machine(), "figures": [{"images": 5, "median": 1.0, "seconds": [1.0]}]}
    results.write_text(json.dumps({"nothing": old}))
    readme.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    bench.main(["--smoke", "--only", "start", "--output", str(results), "--readme", str(readme)])
    measured = json.loads(results.read_text())
    assert measured["nothing"] == old
    assert [one["size"] for one in measured["start"]["figures"]] == [[256, 256], [256, 1600]]
    runs = [runs for one in measured["start"]["figures"] for runs in one["seconds"].values()]
    assert runs
    assert {len(one) for one in runs} == {1}
    assert readme.read_text() == f"before\n{BEGIN}\n{to_markdown(measured)}{END}\nafter\n"


def test_the_readme_shows_the_results_that_are_stored() -> None:
    text = (ROOT / "README.md").read_text()
    assert replace_tables(text, to_markdown(json.loads(bench.RESULTS.read_text()))) == text


@pytest.mark.parametrize("yardstick", ["bare_loop", "original_way"])
def test_the_yardsticks_do_not_wait_for_beam(yardstick: str) -> None:
    code = f"import sys, tests.benchmarks.{yardstick}\nsys.exit('apache_beam' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
