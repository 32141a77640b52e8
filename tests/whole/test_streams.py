"""Standard output holds the result of a command; standard error holds the rest: progress, warnings and errors."""

from __future__ import annotations

import json
import shlex
import shutil
from pathlib import Path

import pytest

from tests.support.builders import write_dataset, write_params
from tests.support.command import create_here, run_here, run_maskmill
from tests.support.report_pages import need_report

EMPTY: tuple[str, ...] = ()

# Arguments, exit status, what is in each line of standard output, and of standard error.
TABLE = [
    (
        "create --params params.yaml --output_dir new",
        0,
        ("2 rows read", "train_input: 1", "eval_input: 1", "examples a second", "the dataset is in new"),
        ("warning: params.yaml: unknown keys",),
    ),
    ("create --params params.yaml --output_dir new --quiet", 0, EMPTY, ("warning: params.yaml: unknown keys",)),
    (
        "create --params params.yaml --output_dir out --quiet --report",
        0,
        EMPTY,
        ("warning: params.yaml: unknown keys",),
    ),
    ("create --params no.yaml", 2, EMPTY, ("maskmill: no.yaml: cannot be read",)),
    ("create --params missing.yaml --output_dir new", 3, EMPTY, ("there is no file c.jpg", "1 rejected")),
    (
        "plan --params params.yaml --output_dir out",
        0,
        ("2 rows", "2 images", "train_input: 1", "eval_input: 1"),
        ("warning: params.yaml: unknown keys",),
    ),
    ("plan --params no.yaml", 2, EMPTY, ("maskmill: no.yaml: cannot be read",)),
    ("preview --params params.yaml", 0, ("a.jpg: 16 x 24", "class 3", "drawn in preview.png"), EMPTY),
    ("preview --params params.yaml --image x.jpg", 2, EMPTY, ("maskmill: no row is of the image x.jpg",)),
    ("sample small --images 2", 0, ("2 images", "the dataset is in small"), EMPTY),
    ("sample small --images 2 --quiet", 0, EMPTY, EMPTY),
    ("sample data", 2, EMPTY, ("maskmill: data already holds",)),
    ("verify out", 0, ("out is whole",), EMPTY),
    ("verify out --quiet", 0, EMPTY, EMPTY),
    ("verify days/1", 4, ("rejected.jsonl: ",), ("maskmill: days/1 is damaged: 1 problem", "maskmill create")),
    ("verify days/1 --quiet", 4, ("rejected.jsonl: ",), ("maskmill: days/1 is damaged: 1 problem", "maskmill create")),
    ("verify data", 4, EMPTY, ("maskmill: no dataset in data",)),
    ("show out", 0, ("example 0 of train_input",), EMPTY),
    ("show out --index 7", 2, EMPTY, ("maskmill: train_input of out has 1",)),
    ("report out", 0, ("the report is in out/report.html",), EMPTY),
    ("report out --quiet", 0, EMPTY, EMPTY),
    ("report data", 4, EMPTY, ("maskmill: ",)),
    ("prune days --keep 1 --dry_run", 0, ("1 would be removed", "kept, by name: 2"), EMPTY),
    ("prune days --keep 1", 0, ("1 is removed", "kept, by name: 2"), EMPTY),
    ("prune data --keep 1", 2, EMPTY, ("maskmill: data: holds no datasets",)),
    ("no-such-command", 2, EMPTY, ("maskmill: ", "--help explains")),
]


@pytest.fixture(name="written", scope="module")
def write_input(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three datasets, of which one is damaged, and parameter files: for the same input, and for one with a bad row."""
    folder = tmp_path_factory.mktemp("written")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        write_dataset(Path("data"), ["a.jpg,3,1 2", "b.jpg,3,1 2"])
        params = write_params(Path("params.yaml"), Path("data"), my_key=1)
        for output in ("out", "days/1", "days/2"):
            create_here(params, Path(output))
        Path("days/1/rejected.jsonl").write_text("x")
        write_params(Path("missing.yaml"), write_dataset(Path("bad"), ["c.jpg,3,1 2"]), train_test_split=1.0)
        Path("bad/train_images/c.jpg").rename("bad/train_images/d.jpg")
    return folder


@pytest.fixture(autouse=True)
def _go_there(written: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(written, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(("arguments", "status", "out", "err"), TABLE)
def test_the_result_is_on_standard_output_and_the_rest_on_standard_error(
    arguments: str, status: int, out: tuple[str, ...], err: tuple[str, ...]
) -> None:
    if arguments.startswith("report"):
        need_report()
    said = run_here(*shlex.split(arguments), status=status)
    for text, lines in zip(said, (out, err), strict=True):
        assert bool(text) == bool(lines), text
        for line in lines:
            assert line in text


@pytest.mark.parametrize("flags", [(), ("--quiet",)])
def test_json_is_all_on_standard_error(flags: tuple[str, ...]) -> None:
    arguments = ("create", "--params", "params.yaml", "--output_dir", "new", "--log_format=json", *flags)
    done = run_maskmill(*arguments)
    assert done.stdout == ""
    assert [json.loads(line)["level"] for line in done.stderr.splitlines()].count("warning") == 1


def test_a_plan_for_programs_is_the_whole_of_standard_output() -> None:
    done = run_maskmill("plan", "--params", "params.yaml", "--json")
    assert json.loads(done.stdout)["rows"]["read"] == 2
    assert [json.loads(line)["event"] for line in done.stderr.splitlines()] == ["warning"]
