"""`--log_format json`: each line on standard error is an object."""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path

import pytest

from pipeline import progress_bar
from pipeline.cli import main
from pipeline.run_log import JsonFormatter, RunLog, is_json
from tests.builders import write_dataset, write_params
from tests.command import create, run_create, run_steelbeam

JSON = "--log_format=json"
FLAGS = ("--num_output_files=2", JSON)


@pytest.fixture(name="data")
def make_data(tmp_path: Path) -> Path:
    return write_dataset(tmp_path / "data", [f"{index}.jpg,3,{1 + index} 2" for index in range(4)])


def objects(text: str) -> list[dict]:
    lines = [json.loads(line) for line in text.splitlines()]
    assert all(list(line)[:4] == ["time", "level", "event", "message"] for line in lines)
    return lines


def test_the_summary_is_the_last_object_and_standard_output_is_empty(tmp_path: Path, data: Path) -> None:
    params = write_params(tmp_path / "params.yaml", data)
    done = run_create(params, tmp_path / "out", *FLAGS)
    assert done.stdout == ""
    first, *_, last = objects(done.stderr)
    assert (first["event"], first["runner"]) == ("start", "FnApiRunner")
    assert (last["event"], last["level"]) == ("published", "info")
    assert last["rows"] == 4
    assert last["examples"] == {"train_input": 2, "eval_input": 2}
    assert last["shards"]["train_input"] == {"written": 2, "kept": 0, "reused": 0}
    assert last["rejected"] == {}
    assert last["seconds"] > 0
    [again] = objects(run_create(params, tmp_path / "out", *FLAGS).stderr)
    assert again["event"] == "nothing-to-do"
    assert again["shards"]["train_input"] == {"written": 0, "kept": 2, "reused": 0}


def test_a_failure_is_an_object_with_the_exit_status_and_the_codes(tmp_path: Path, data: Path) -> None:
    (data / "train_images" / "0.jpg").write_bytes(b"")
    params = write_params(tmp_path / "params.yaml", data)
    last = objects(run_create(params, tmp_path / "out", *FLAGS, status=3).stderr)[-1]
    assert (last["event"], last["level"], last["exit_status"]) == ("failed", "error", 3)
    assert last["rejected"] == {"IMAGE_EMPTY": 1}


@pytest.mark.parametrize("flags", [(JSON,), ("--log_format", "json")])
def test_wrong_usage_is_an_object_too(flags: tuple[str, ...]) -> None:
    [failed] = objects(run_steelbeam("create", *flags, "--parms=x", status=2).stderr)
    assert (failed["event"], failed["exit_status"]) == ("failed", 2)


def test_the_messages_of_beam_are_objects_too(tmp_path: Path, data: Path) -> None:
    params = write_params(tmp_path / "params.yaml", data)
    events = [line["event"] for line in objects(run_create(params, tmp_path / "out", *FLAGS, "--debug").stderr)]
    assert "log" in events
    assert events[-1] == "published"


def test_a_warning_and_progress_are_objects(
    tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress_bar, "LINE_SECONDS", 0.001)
    (tmp_path / "out" / "train_input").mkdir(parents=True)
    (tmp_path / "out" / "train_input" / "else.h5").touch()
    params = write_params(tmp_path / "params.yaml", data)
    assert main(["create", "--params", str(params), "--output_dir", str(tmp_path / "out"), "--overwrite", *FLAGS]) == 0
    lines = objects(capsys.readouterr().err)
    assert [line["level"] for line in lines if line["event"] == "warning"] == ["warning"]
    progress = [line for line in lines if line["event"] == "progress"]
    assert progress
    assert all(line["expected"] == 4 and line["seconds"] >= 0 for line in progress)


def test_quiet_leaves_nothing_where_nothing_is_wrong(
    tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    create(tmp_path, data, *FLAGS)
    assert capsys.readouterr() == ("", "")


def test_a_traceback_stays_in_its_line() -> None:
    try:
        int("two\nlines")
    except ValueError:
        record = logging.LogRecord("beam", logging.ERROR, "", 0, "it %s", ("failed",), sys.exc_info())
    [line] = objects(JsonFormatter().format(record))
    assert (line["level"], line["message"], line["logger"]) == ("error", "it failed", "beam")
    assert "ValueError: invalid literal" in line["traceback"]


def test_people_are_told_in_text(capsys: pytest.CaptureFixture[str]) -> None:
    log = RunLog(sys.stderr)
    log.tell("warning", "careful", files=3)
    log.record("start", "not for people")
    assert capsys.readouterr().err == "warning: careful\n"
    assert not is_json(["create", "--params", "json"])
