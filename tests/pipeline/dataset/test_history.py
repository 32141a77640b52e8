"""`history.jsonl`: a line for each run that has written the dataset."""

from __future__ import annotations

import datetime
import json
from pathlib import Path

import pytest

from maskmill import __version__, open_dataset
from maskmill.pipeline.dataset.history import MAX_LINES, find_run, history_problems
from tests.support.builders import grey_pixels, image_bytes, write_dataset
from tests.support.command import ROOT, create, run_here

ROWS = [f"{index}.jpg,3,{1 + index} 2" for index in range(4)]
FLAGS = ("--num_output_files=2",)


@pytest.fixture(name="data")
def make_data(tmp_path: Path) -> Path:
    return write_dataset(tmp_path / "data", ROWS)


def change(data: Path, seed: int) -> None:
    (data / "train_images" / "0.jpg").write_bytes(image_bytes(grey_pixels(seed)))


def history(output: Path) -> list[dict]:
    return [json.loads(line) for line in (output / "history.jsonl").read_text().splitlines()]


def test_each_run_that_publishes_adds_a_line(tmp_path: Path, data: Path) -> None:
    output = create(tmp_path, data, *FLAGS)
    change(data, 99)
    create(tmp_path, data, *FLAGS)
    first, second = history(output)
    assert first["shards"] == {split: {"written": 2, "kept": 0, "reused": 0} for split in ("train_input", "eval_input")}
    assert second["shards"]["train_input"] == {"written": 1, "kept": 1, "reused": 0}
    assert second["shards"]["eval_input"] == {"written": 0, "kept": 2, "reused": 0}
    assert first["run"] != second["run"]
    assert first["examples"] == {"train_input": 2, "eval_input": 2}
    assert (first["rejected"], first["version"], first["runner"]) == (0, __version__, "FnApiRunner")
    times = [datetime.datetime.fromisoformat(run[key]) for run in (first, second) for key in ("started", "finished")]
    assert times == sorted(times)
    assert {time.utcoffset() for time in times} == {datetime.timedelta(0)}


def test_a_run_that_has_nothing_to_do_or_fails_adds_none(tmp_path: Path, data: Path) -> None:
    output = create(tmp_path, data, *FLAGS)
    create(tmp_path, data, *FLAGS)
    (data / "train_images" / "0.jpg").write_bytes(b"")
    create(tmp_path, data, *FLAGS, status=3)
    assert len(history(output)) == 1


def old_line(run: str) -> bytes:
    """A line as it was written before lines had checksums."""
    times = {"started": "2026-01-01T00:00:00+00:00", "finished": "2026-01-01T00:01:00+00:00"}
    counts = {"shards": {"train_input": {"written": 1, "kept": 0, "reused": 0}}, "examples": {"train_input": 3}}
    return json.dumps(
        {"run": run, **times, "version": "0.1.0", "runner": "FnApiRunner", **counts, "rejected": 0}
    ).encode()


def test_old_lines_go_if_there_are_too_many(tmp_path: Path, data: Path) -> None:
    output = create(tmp_path, data, *FLAGS)
    (output / "history.jsonl").write_bytes(b"".join(old_line(f"{number}") + b"\n" for number in range(MAX_LINES)))
    assert run_here("verify", output).err == ""
    change(data, 99)
    create(tmp_path, data, *FLAGS)
    lines = history(output)
    assert [line["run"] for line in lines[:-1]] == [f"{number}" for number in range(1, MAX_LINES)]
    assert "sha256" in lines[-1]
    assert run_here("verify", output).err == ""


def test_damaged_lines_are_left_out_by_the_next_run_that_publishes(tmp_path: Path, data: Path) -> None:
    output = create(tmp_path, data, *FLAGS)
    whole = (output / "history.jsonl").read_bytes()
    (output / "history.jsonl").write_bytes(b"\xff{\n[]\n" + old_line("old") + b"\n" + whole[:-9] + b"\n" + whole[:-1])
    assert find_run(str(output), "old") is not None
    assert find_run(str(output), json.loads(whole)["run"]) == json.loads(whole)
    assert history_problems(str(output)) == [
        "history.jsonl: line 1 was changed after it was written",
        "history.jsonl: line 2 was changed after it was written",
        "history.jsonl: line 4 was changed after it was written",
        "history.jsonl: line 5 is cut off",
    ]
    change(data, 99)
    create(tmp_path, data, *FLAGS)
    old, first, second = history(output)
    assert (old["run"], first) == ("old", json.loads(whole))
    assert second["shards"]["train_input"] == {"written": 1, "kept": 1, "reused": 0}
    assert history_problems(str(output)) == []


def test_verify_misses_a_history_and_reading_does_without(tmp_path: Path, data: Path) -> None:
    output = create(tmp_path, data, *FLAGS)
    assert "is whole" in run_here("verify", output).out
    (output / "history.jsonl").unlink()
    assert run_here("verify", output, status=4).out.startswith("history.jsonl: is missing\n")
    run_here("verify", output, "--quick")
    assert len(open_dataset(output)) == 2
    run_here("report", output, "--output", tmp_path / "page.html")


def test_the_version_is_that_of_the_package() -> None:
    assert f'version="{__version__}"' in (ROOT / "setup.py").read_text()
