"""The benchmark runs, keeps what it did not measure anew, and the documents show what it has found."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from maskmill.transforms.examples.make_example import make_example
from tests.benchmarks import bench, datasets, phases, read_rate, steps
from tests.benchmarks.groups import GROUPS
from tests.benchmarks.original_way import make_arrays
from tests.benchmarks.programs import DECODING_ALONE, MASKMILL, ORIGINAL_WAY, Case, run_case
from tests.benchmarks.report import NOT_MEASURED, make_tables, marks_of, replace_tables
from tests.benchmarks.shard_plan import form_of_size, read_examples, spec_of
from tests.support.command import ROOT

SIZES = [(256, 256), (256, 1600)]
TEXTS = {path.name: path.read_text(encoding="utf-8") for path in bench.DOCUMENTS}


@pytest.fixture(scope="module")
def small_sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the benchmark's data, made from a sample of 60 images."""
    return tmp_path_factory.mktemp("data")


@pytest.fixture(autouse=True)
def _small(small_sample: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets, "DATA", small_sample)
    monkeypatch.setattr(datasets, "DRAWN_IMAGES", 60)


def run_bench(tmp_path: Path, *flags: str) -> tuple[dict, str]:
    """Results and document after a run."""
    results, document = tmp_path / "results.json", tmp_path / "document.md"
    if not document.exists():
        document.write_text("".join(f"<!-- benchmark: {name} -->\nold\n<!-- /benchmark -->\n" for name in GROUPS))
    bench.main(["--smoke", *flags, "--output", str(results), "--documents", str(document)])
    return json.loads(results.read_text()), document.read_text()


@pytest.mark.slow
@pytest.mark.parametrize("group", GROUPS)
def test_a_group_is_measured_and_shown(group: str, tmp_path: Path) -> None:
    measured, text = run_bench(tmp_path, "--only", group)
    assert list(measured) == [group]
    assert measured[group]["figures"]
    tables = make_tables(measured)
    assert text.count(NOT_MEASURED) == len(GROUPS) - 1
    assert f"<!-- benchmark: {group} -->\n{tables[group]}\n<!-- /benchmark -->\n" in text


@pytest.mark.slow
def test_groups_that_are_not_measured_anew_stay(tmp_path: Path) -> None:
    first, _ = run_bench(tmp_path, "--only", "storage")
    both, text = run_bench(tmp_path, "--only", "real")
    assert both["storage"] == first["storage"]
    assert make_tables(both)["storage"] in text
    figures = both["real"]["figures"]
    assert [one["size"] for one in figures] == [[256, 256], [256, 1600], [256, 256]]
    assert figures[0]["examples"] > figures[2]["examples"] == 20
    for one in figures:
        assert {len(runs) for runs in one["seconds"].values()} == {1}
        assert one["times"] == one["medians"][ORIGINAL_WAY] / one["medians"][MASKMILL]
        assert one["share"] == one["medians"][DECODING_ALONE] / one["medians"][MASKMILL]
    assert text.count("examples, 256 × 1600 | ") == 1


@pytest.mark.slow
def test_a_checkout_of_an_earlier_state_is_measured_beside_this_one(tmp_path: Path) -> None:
    groups = ["real", "phases", "steps", "reader"]
    measured, text = run_bench(tmp_path, "--before", str(ROOT), "--only", *groups)
    assert [measured[name]["before"] != "" for name in groups] == [True] * 4
    assert list(measured["phases"]["figures"][0]["medians"]) == ["maskmill", "before"]
    assert list(measured["phases"]["figures"][0]["medians"]["before"]) == list(phases.PHASES)
    assert "| µs of a core for an example | 256 × 256, before | 256 × 256 | 256 × 1600, before | 256 × 1600 |" in text
    assert "| start to end | maskmill | before | original's way | bare loop | decoding alone |" in text
    assert "| examples read a second | `open_dataset` | before | a file opened for each |" in text


def test_the_summary_has_five_lines() -> None:
    medians = {MASKMILL: 5.0, ORIGINAL_WAY: 15.0, "bare loop": 4.5, DECODING_ALONE: 3.0}
    real = {"size": [256, 256], "examples": 5150, "medians": medians, "times": 3.0, "share": 0.6}
    memory = {"size": [256, 256], "examples": [3000, 30000], "peaks": [2e8, 3e8], "growth": 5000.0, "text": 3500.0}
    rates = {read_rate.MASKMILL: 9000.0, read_rate.ORIGINAL: 1000.0, read_rate.BYTES: 90000.0}
    reader = {"size": [256, 256], "medians": rates}
    groups = {"real": [real, real | {"size": [256, 1600]}, real | {"examples": 1482}], "memory": [memory]}
    machine = {"cores": 2, "architecture": "x86_64", "Python": "3.11.7"}
    results = {name: {"machine": machine, "figures": one} for name, one in {**groups, "reader": [reader]}.items()}
    compared = "3.0 times as fast as *original's way*; 60% of the rate of *decoding alone*"
    assert make_tables(results)["summary"].splitlines() == [
        "|  | maskmill, 2 cores | in comparison |",
        "|---|---:|---|",
        f"| 5,150 examples, 256 × 256 | 5.0 s | {compared} |",
        f"| 5,150 examples, 256 × 1600 | 5.0 s | {compared} |",
        f"| 1,482 examples, 256 × 256 | 5.0 s | {compared} |",
        "| memory, 30,000 examples of 256 × 256 | 300 MB | 200 MB for 3,000 |",
        "| reading examples of 256 × 256 | 9,000 / s | 9.0 times as many as if a file is opened for each |",
    ]
    assert make_tables(results)["memory"].splitlines()[-1].endswith("beyond the 3.5 kB of its text |  | 1.5 kB |")
    assert make_tables({})["summary"] == NOT_MEASURED


def test_a_mark_of_a_table_that_there_is_not_is_an_error() -> None:
    with pytest.raises(KeyError, match="stedy"):
        replace_tables("<!-- benchmark: stedy -->\nold\n<!-- /benchmark -->\n", make_tables({}))


@pytest.mark.parametrize("document", TEXTS)
def test_a_document_shows_the_results_that_are_stored(document: str) -> None:
    results = json.loads(bench.RESULTS.read_text())
    assert replace_tables(TEXTS[document], make_tables(results)) == TEXTS[document]


def test_each_table_is_in_one_document() -> None:
    assert marks_of(TEXTS["README.md"]) == ["summary"]
    assert sorted(marks_of(TEXTS["speed.md"])) == sorted(["machine", *GROUPS])


@pytest.mark.parametrize("yardstick", ["bare_loop", "original_way", "decoding_alone", "steps"])
def test_the_yardsticks_do_not_wait_for_beam(yardstick: str) -> None:
    code = f"import sys, tests.benchmarks.{yardstick}\nsys.exit('apache_beam' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_the_originals_way_makes_the_values_of_maskmill(size: tuple[int, int]) -> None:
    form = form_of_size(size)
    for example in itertools.islice(read_examples(str(datasets.drawn()), datasets.CLASS_ID), 5):
        image, label = make_arrays(example, form)
        expected = make_example(spec_of(example), Path(example.path).read_bytes(), form)
        assert np.array_equal(label, expected.label)
        # They may differ by a grey level where they were resized.
        assert np.abs(image.astype(int) - expected.image).max() <= (size == (256, 256))


def test_decoding_alone_decodes_every_example_and_writes_nothing(tmp_path: Path) -> None:
    data = datasets.examples(20)
    run_case(Case(DECODING_ALONE, data), tmp_path / "dataset")
    assert not (tmp_path / "dataset").exists()
    last = sorted((data / "train_images").iterdir())[-1]
    content = last.read_bytes()
    last.unlink()  # a link to the sample
    last.write_bytes(content[:1000])
    try:
        with pytest.raises(SystemExit, match=r"not a correct JPEG|cannot be decoded"):
            run_case(Case(DECODING_ALONE, data), tmp_path / "dataset")
    finally:
        last.write_bytes(content)


def test_a_part_of_the_sample_has_the_rows_of_all_classes_and_images_without_rows() -> None:
    whole, part = datasets.drawn(), datasets.share(10)
    assert datasets.share(1000) == whole
    assert datasets.number_of_examples(part) == 10
    lines = (part / "train.csv").read_text().splitlines()
    assert lines == (whole / "train.csv").read_text().splitlines()[: len(lines)]
    assert len(lines) - 1 > 10
    images = sorted(path.name for path in (part / "train_images").iterdir())
    assert images == sorted(path.name for path in (whole / "train_images").iterdir())[: len(images)]
    assert {line.split(",")[0] for line in lines[1:]} < set(images)


def test_the_steps_are_all_timed(tmp_path: Path) -> None:
    specs = [spec_of(one) for one in itertools.islice(read_examples(str(datasets.drawn()), datasets.CLASS_ID), 3)]
    found = steps.time_steps(specs, form_of_size((256, 256)), str(tmp_path / "a.h5"))
    assert set(found) == set(steps.STEPS)
    assert min(found.values()) > 0
