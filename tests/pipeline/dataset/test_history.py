"""`history.jsonl`: a line for each run that has written the dataset."""

from __future__ import annotations

import datetime
import json
from pathlib import Path

import pytest

from maskmill import __version__
from maskmill.pipeline.dataset.history import MAX_LINES
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


def test_old_lines_go_and_damaged_ones_disturb_nobody(tmp_path: Path, data: Path) -> None:
    output = create(tmp_path, data, *FLAGS)
    (output / "history.jsonl").write_bytes(b"\xff{\n[]\n" + b'{"run": "x"}\n' * MAX_LINES)
    change(data, 99)
    create(tmp_path, data, *FLAGS)
    lines = (output / "history.jsonl").read_text().splitlines()
    assert len(lines) == MAX_LINES
    assert "shards" in json.loads(lines[-1])


def test_the_history_is_no_part_of_what_is_verified(tmp_path: Path, data: Path) -> None:
    output = create(tmp_path, data, *FLAGS)
    whole = run_here("verify", output).out
    assert "is whole" in whole
    (output / "history.jsonl").unlink()
    assert run_here("verify", output).out == whole


def test_the_version_is_that_of_the_package() -> None:
    assert f'version="{__version__}"' in (ROOT / "setup.py").read_text()
