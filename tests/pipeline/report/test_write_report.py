"""`maskmill report`: the page, by its words and numbers."""

from __future__ import annotations

import base64
import io
import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from maskmill import open_dataset
from maskmill.manifest import seal_line
from maskmill.pipeline.cli import main
from maskmill.pipeline.messages.quantities import format_bytes
from maskmill.pipeline.messages.this_program import this_program
from maskmill.pipeline.report import write_report as report
from maskmill.pipeline.report.draw_example import draw_label
from tests.support.builders import HEIGHT, WIDTH, write_dataset, write_images, write_params
from tests.support.command import create, create_here, manifest, run_here, tree
from tests.support.datasets import SHARD, SPLITS, copy_of, make_dataset, reseal, write_original
from tests.support.needs import needs_package
from tests.support.report_pages import Page, need_report, page_of

# As many of each class in each half of the CSV: 40 of class 1, 20 of class 3, with the classes in turn.
ROWS = [f"{number:03}.jpg,{3 if number % 3 == 0 else 1},{1 + number} 4" for number in range(60)]


@pytest.fixture(autouse=True)
def _need_packages() -> None:
    need_report()


@pytest.fixture(scope="module", name="dataset")
def make(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    data = write_dataset(folder / "data", ROWS)
    write_images(data / "train_images", [f"n{number}.jpg" for number in range(20)])
    (data / "train_images" / "<b>&.jpg").write_bytes(b"")
    changes = {"class_id": [1, 3], "loss": "ssce", "num_classes": 3, "train_test_split": 0.6}
    return create(
        folder, data, "--max_rejected=1", maskmill={"negatives": "all", "assignment": "stratified"}, **changes
    )


@pytest.fixture(scope="module", name="page")
def make_page(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Page:
    return page_of(dataset, tmp_path_factory.mktemp("page"))


def test_examples_are_counted_by_split_and_class_as_in_the_manifest(dataset: Path, page: Page) -> None:
    assert page.row("split")[1:5] == ["examples", "class 1", "class 3", "no defect"]
    for split, entry in manifest(dataset)["splits"].items():
        cells = page.row(split)
        counts = [entry["classes"]["1"], entry["classes"]["3"], entry["negatives"]]
        assert [int(cell.split()[0]) for cell in cells[1:5]] == [entry["examples"], *counts]
        assert cells[2].endswith(f"({counts[0] / entry['examples']:.1%})")
        assert cells[5] == str(len(entry["shards"]))


def test_the_page_needs_nothing_from_elsewhere(page: Page) -> None:
    assert [address[:40] for address in page.addresses if not address.startswith(("data:", "#"))] == []
    styles = re.findall(r"url\(([^)]{1,40})", page.text)
    assert [address for address in styles if not address.startswith(("#", "data:"))] == []


def test_samples_are_of_each_class_in_turn_and_show_the_mask(dataset: Path, page: Page) -> None:
    assert len(page.images) == len(page.captions) == 24
    assert len(set(page.captions)) == 24
    shown = [caption.split(", ")[1] for caption in page.captions]
    assert shown == ["class 1", "class 3", "no defect"] * 8
    name, _, place = page.captions[0].split(", ")
    split, index = place.split()
    example = open_dataset(dataset, split)[int(index)]
    assert example.image_id == name
    picture = Image.open(io.BytesIO(base64.b64decode(page.images[0].partition(",")[2])))
    difference = np.asarray(picture).astype(int) - draw_label(example, [1, 3])
    assert np.abs(difference).mean() < 10


def test_the_same_dataset_gives_the_same_page(dataset: Path, page: Page, tmp_path: Path) -> None:
    assert page_of(dataset, tmp_path).text == page.text


def test_what_was_rejected_is_shown_and_names_are_not_taken_for_markup(page: Page) -> None:
    _, count, examples = page.row("IMAGE_EMPTY")
    assert count == "1"
    assert "<b>&.jpg: the image file is empty" in examples
    assert "<b>&" not in page.text


def test_the_run_is_told_with_its_time_and_speed(dataset: Path, tmp_path: Path) -> None:
    copy = copy_of(dataset, tmp_path)
    run = json.loads((copy / "history.jsonl").read_text())
    run.update(started="2026-01-31T23:59:50+00:00", finished="2026-02-01T00:00:10+00:00")
    damaged = json.dumps(run).encode().replace(b"2026-02", b"2027-02")
    (copy / "history.jsonl").write_bytes(seal_line(run) + b"\n" + damaged + b"\n\xff\n")
    page = page_of(copy, tmp_path)
    assert page.row("2026-02-01 00:00 UTC")[1:] == ["20.0", "FnApiRunner", "0.1.0", "20", "0", "0", "4"]
    assert "2027" not in page.text


def test_what_was_read_in_another_way_is_noted_and_missing_in_a_dataset_of_before(
    dataset: Path, tmp_path: Path
) -> None:
    copy = copy_of(dataset, tmp_path)
    reseal(copy, lambda content: content.update(notes={"rows with overlapping runs, which are united": 1234}))
    assert "Rows with overlapping runs, which are united: 1,234." in page_of(copy, tmp_path).text
    reseal(copy, lambda content: content.pop("notes"))
    assert "overlapping runs" not in page_of(copy, tmp_path).text


def test_every_chart_is_there(page: Page) -> None:
    assert page.charts == [
        "Examples by class",
        "Area of the defects",
        "Area by split",
        "Regions of the defects",
        "Runs of the defects",
        "Where the defects are",
        "Brightness",
        "Size of the shards",
    ]


def test_the_parameters_are_shown_as_they_were_used(dataset: Path, page: Page) -> None:
    shown = yaml.safe_load(page.parameters)
    assert shown == json.loads((dataset / "data_params.json").read_text())
    assert shown["train_input"]["image_shape"] == [HEIGHT, WIDTH, 1]
    assert f"made by maskmill from the folder {shown['train_input']['data_dir']}." in page.text


def test_the_sizes_of_the_shards_are_told(dataset: Path, page: Page) -> None:
    for split in SPLITS:
        sizes = [path.stat().st_size for path in (dataset / split).glob("*.h5")]
        smallest, largest, total = map(format_bytes, (min(sizes), max(sizes), sum(sizes)))
        assert page.row(split)[6:8] == [total, smallest if smallest == largest else f"{smallest} to {largest}"]


def test_of_a_large_split_a_part_is_looked_at_and_said_to_be_one(
    dataset: Path, page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("maskmill.pipeline.report.statistics.MOST_EXAMPLES", 30)
    part = page_of(dataset, tmp_path)
    sentence = "Of train_input 30 examples were looked at, chosen at random; the counts by class are of all."
    assert sentence in part.text
    assert sentence not in page.text
    assert part.row("train_input") == page.row("train_input")


def test_a_dataset_of_the_original_has_a_report_too(tmp_path: Path) -> None:
    folder = write_original(tmp_path / "original")
    params = json.loads((folder / "data_params.json").read_text())
    params["model"] = {"loss": "bce"}
    params.update({split: {"class_id": 3, "image_shape": [HEIGHT, WIDTH, 1]} for split in SPLITS})
    (folder / "data_params.json").write_text(json.dumps(params))
    page = page_of(folder, tmp_path)
    assert "made by create_hdf5_files.py." in page.text
    assert page.row("train_input")[1:4] == ["3", "0 (0.0%)", "3 (100.0%)"]


@pytest.mark.parametrize("missing", [SHARD, "data_params.json", "manifest.json"])
def test_a_dataset_that_is_not_whole_has_none(tmp_path: Path, missing: str, capsys: pytest.CaptureFixture[str]) -> None:
    dataset = make_dataset(tmp_path)
    (dataset / missing).unlink()
    assert main(["report", str(dataset), "--output", str(tmp_path / "page.html")]) == 4
    error = capsys.readouterr().err
    assert str(dataset) in error
    assert "Traceback" not in error
    assert not (tmp_path / "page.html").exists()


def test_create_makes_the_report_where_it_is_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = write_dataset(tmp_path / "data", ROWS[:6])
    params = write_params(tmp_path / "params.yaml", data)
    command = ["create", "--params", str(params), "--output_dir", str(tmp_path / "out")]
    assert main(command) == 0
    assert f"to look at it: {this_program()} report {tmp_path / 'out'}" in capsys.readouterr().out
    assert main([*command, "--report", str(tmp_path / "r.html")]) == 0
    assert f"the report is in {tmp_path / 'r.html'}" in capsys.readouterr().out
    assert Page(tmp_path / "r.html").row("train_input")[1] == "1"


def test_a_report_is_in_the_folder_of_its_dataset_and_disturbs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    days, data = tmp_path / "days", write_dataset(tmp_path / "data", ROWS[:6])
    params = write_params(tmp_path / "params.yaml", data)
    page = days / "1" / "report.html"
    said = create_here(params, days / "1", "--report")
    assert said.out.endswith(f"the report is in {page}\n")
    assert Page(page).row("train_input")[1] == "1"
    page.unlink()
    before = tree(days / "1")
    assert run_here("report", days / "1").out == f"the report is in {page}\n"
    assert run_here("report", days / "1").out == f"the report is in {page}, in place of the one before\n"

    assert "nothing to do" in create_here(params, days / "1").out
    assert "nothing to do" in create_here(params, days / "1", "--verify").out
    run_here("verify", days / "1")
    run_here("verify", days / "1", "--quick")
    assert len(open_dataset(days / "1")) == 1
    text = tree(days / "1").pop("report.html")
    assert tree(days / "1") == {**before, "report.html": text}
    # A run that writes leaves it where it is, and one that copies does not copy it.
    create_here(params, days / "1", "--num_output_files=2")
    assert page.read_bytes() == text
    create_here(params, days / "2", "--num_output_files=2", f"--reuse={days}")
    assert not (days / "2" / "report.html").exists()
    run_here("prune", days, "--keep=1")
    assert sorted(path.name for path in days.iterdir()) == ["2", "latest.json"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "days", "params.yaml"]


def test_a_dataset_in_a_store_has_its_report_there(dataset: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    needs_package("fsspec", "test")
    import fsspec

    files = fsspec.filesystem("memory")
    files.put(str(dataset), "/days/1", recursive=True)
    try:
        assert run_here("report", "memory://days/1").out == "the report is in memory://days/1/report.html\n"
        assert "in place of" in run_here("report", "memory://days/1").out
        assert b"<html" in files.cat_file("/days/1/report.html")
        monkeypatch.setattr(type(files), "pipe_file", refuse)
        said = run_here("report", "memory://days/1", status=1).err
        assert said == (
            "maskmill: memory://days/1/report.html: the report cannot be written: memory://days/1/report.html: "
            "read-only; give the path of a file elsewhere\n"
        )
    finally:
        files.rm("/days", recursive=True)


def refuse(*_: object) -> None:
    raise NotImplementedError("read-only")


def test_the_folder_of_another_path_is_made(dataset: Path, tmp_path: Path) -> None:
    page = tmp_path / "a" / "b" / "page.html"
    assert run_here("report", dataset, "--output", page).out == f"the report is in {page}\n"
    assert page.exists()
    assert "is not a path on this machine" in run_here("report", dataset, "--output=gs://b/x.html", status=2).err


def test_a_folder_in_place_of_the_report_is_told_before_any_work(tmp_path: Path) -> None:
    params = write_params(tmp_path / "params.yaml", write_dataset(tmp_path / "data", ROWS[:6]))
    (tmp_path / "out" / "report.html").mkdir(parents=True)
    said = create_here(params, tmp_path / "out", "--report", status=2).err
    assert f"{tmp_path}/out/report.html: is a folder; remove it, or give the path of an HTML file" in said
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["report.html"]


def test_what_keeps_a_report_from_being_written_is_told_before_any_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    data = write_dataset(tmp_path / "data", ROWS[:6])
    assert not create(tmp_path, data, f"--report={tmp_path}", status=2).exists()
    assert "is a folder; give the path of a file, such as" in capsys.readouterr().err
    assert not create(tmp_path, data, f"--report={data / 'train.csv' / 'r.html'}", status=2).exists()
    assert "train.csv is a file, and no folder" in capsys.readouterr().err
    monkeypatch.setattr(report, "_LIBRARIES", {"matplotlib": "matplotlib", "no_such_package": "No-Such"})
    assert not create(tmp_path, data, "--report", status=2).exists()
    assert f"the report needs No-Such: {sys.executable} -m pip install No-Such" in capsys.readouterr().err


def test_a_report_that_cannot_be_written_names_its_file_and_leaves_the_dataset(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = write_dataset(tmp_path / "data", ROWS[:6])
    output = create(tmp_path, data, "--report=/dev/full", status=1)
    assert "No space left on device: '/dev/full'" in capsys.readouterr().err
    assert manifest(output)["splits"].keys() == {"train_input", "eval_input"}


@pytest.mark.parametrize(
    ("command", "dataset", "status", "words"),
    [
        ("report", "no-such-store://b/x", 4, "no-such-store://b/x: Protocol not known: no-such-store"),
        ("report", "gs://b/x", 2, "-m pip install fsspec gcsfs"),
        ("show", "gs://b/x", 2, "-m pip install fsspec gcsfs"),
    ],
)
def test_a_dataset_in_a_store_needs_what_reads_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, dataset: str, status: int, words: str
) -> None:
    monkeypatch.setitem(sys.modules, "gcsfs", None)
    error = run_here(command, dataset, f"--output={tmp_path / 'page'}", status=status).err
    assert words in error
    assert "Traceback" not in error
    assert list(tmp_path.iterdir()) == []
