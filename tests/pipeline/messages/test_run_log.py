"""`--log_format json`: each line on standard error is an object."""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path

import pytest

from maskmill.pipeline.cli import main
from maskmill.pipeline.messages import progress_bar
from maskmill.pipeline.messages.run_log import JsonFormatter, RunLog, is_json
from tests.support.builders import write_dataset, write_params
from tests.support.command import create, create_here, run_create, run_here

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
    said = create_here(params, tmp_path / "out", *FLAGS)
    assert said.out == ""
    *_, last = objects(said.err)
    assert (last["event"], last["level"]) == ("published", "info")
    assert last["rows"] == 4
    assert last["examples"] == {"train_input": 2, "eval_input": 2}
    assert last["shards"]["train_input"] == {"written": 2, "kept": 0, "reused": 0}
    assert last["rejected"] == {}
    assert last["seconds"] > 0
    *_, again = objects(create_here(params, tmp_path / "out", *FLAGS).err)
    assert again["event"] == "nothing-to-do"
    assert again["shards"]["train_input"] == {"written": 0, "kept": 2, "reused": 0}


def told(tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str], *flags: str) -> list[dict]:
    """What a run says to programs."""
    params = write_params(tmp_path / "params.yaml", data)
    assert main(["create", "--params", str(params), "--output_dir", str(tmp_path / "out"), *FLAGS, *flags]) == 0
    return objects(capsys.readouterr().err)


def test_each_step_of_a_run_says_how_long_it_took_and_what_it_has_counted(
    tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with open(data / "train.csv", "a") as csv:
        csv.write("missing.jpg,3,1 1\n")
    lines = told(tmp_path, data, capsys, "--max_rejected=1")
    steps = {line["step"]: line for line in lines if line["event"] == "step"}
    assert [*steps] == ["find-input", "find-existing", "run-pipeline", "read-back"]
    assert [line["event"] for line in lines] == ["step", "step", "start", "step", "step", "published"]
    assert lines[2]["runner"] == "FnApiRunner"
    assert 0 < sum(step["seconds"] for step in steps.values()) <= lines[-1]["seconds"] + 0.01
    assert steps["find-input"]["csv_bytes"] == (data / "train.csv").stat().st_size
    assert steps["find-existing"]["shards"] == 0
    assert (steps["read-back"]["rows"], steps["read-back"]["rejected"]) == (5, {"IMAGE_MISSING": 1})
    again = {line["step"]: line for line in told(tmp_path, data, capsys, "--max_rejected=1") if "step" in line}
    assert [*again] == ["find-input", "find-existing", "read-back"]
    assert again["find-existing"]["shards"] == 4


def test_a_step_that_fails_is_not_said_to_be_done(capsys: pytest.CaptureFixture[str]) -> None:
    log = RunLog(sys.stderr, as_json=True)
    with pytest.raises(ValueError, match="wrong"), log.step("find-input"):
        raise ValueError("wrong")
    assert capsys.readouterr().err == ""


def test_a_failure_is_an_object_with_the_exit_status_and_the_codes(tmp_path: Path, data: Path) -> None:
    (data / "train_images" / "0.jpg").write_bytes(b"")
    params = write_params(tmp_path / "params.yaml", data)
    last = objects(create_here(params, tmp_path / "out", *FLAGS, status=3).err)[-1]
    assert (last["event"], last["level"], last["exit_status"]) == ("failed", "error", 3)
    assert last["rejected"] == {"IMAGE_EMPTY": 1}


@pytest.mark.parametrize("flags", [(JSON,), ("--log_format", "json")])
def test_wrong_usage_is_an_object_too(flags: tuple[str, ...]) -> None:
    [failed] = objects(run_here("create", *flags, "--parms=x", status=2).err)
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
    lines = told(tmp_path, data, capsys, "--overwrite")
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
