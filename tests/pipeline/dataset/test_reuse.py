"""A dataset a day: shards that have not changed are copied from the day before, and `latest.json` follows."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from maskmill.pipeline.dataset.history import find_run
from maskmill.pipeline.dataset.latest import read_latest
from maskmill.pipeline.graph import build_graph
from tests.support.builders import grey_pixels, image_bytes, write_dataset
from tests.support.command import create, create_here, shard_states, tree, write_params
from tests.support.spies import count_calls

ROWS = [f"{index:02}.jpg,3,{1 + index} 2" for index in range(16)]
FLAGS = ("--num_output_files=4",)


@pytest.fixture(name="data")
def make_data(tmp_path: Path) -> Path:
    return write_dataset(tmp_path / "data", ROWS)


def states(output: Path) -> dict[str, int]:
    """What the last run has done with the shards."""
    run = json.loads((output / "history.jsonl").read_text().splitlines()[-1])["run"]
    entry = find_run(str(output), run)
    assert entry is not None
    return shard_states(entry)


def make_day(tmp_path: Path, data: Path, day: str, *flags: str) -> Path:
    return create(tmp_path, data, *FLAGS, f"--reuse={tmp_path / 'days'}", *flags, output=f"days/{day}")


def test_the_next_day_copies_what_has_not_changed_and_is_as_if_made_without(tmp_path: Path, data: Path) -> None:
    make_day(tmp_path, data, "2026-11-22")
    (data / "train_images" / "02.jpg").write_bytes(image_bytes(grey_pixels(99)))
    second = make_day(tmp_path, data, "2026-11-23")
    assert states(second) == {"written": 1, "kept": 0, "reused": 7}
    found = tree(second)
    second.rename(tmp_path / "aside")
    assert tree(create(tmp_path, data, *FLAGS, output="days/2026-11-23")) == found


def test_shards_are_found_by_what_is_in_them_and_not_by_their_names(tmp_path: Path, data: Path) -> None:
    first = create(tmp_path, data, *FLAGS, output="first")
    other = create(tmp_path, data, *FLAGS, f"--reuse={first}", "--name=steel", output="other")
    assert states(other) == {"written": 0, "kept": 0, "reused": 8}
    assert not (tmp_path / "latest.json").exists()


def test_the_first_day_has_nothing_to_reuse_and_says_so(tmp_path: Path, data: Path) -> None:
    params = write_params(tmp_path / "params.yaml", data)
    said = create_here(params, tmp_path / "days" / "1", f"--reuse={tmp_path / 'days'}")
    assert f"nothing to reuse in {tmp_path / 'days'} yet" in said.err
    again = create_here(params, tmp_path / "days" / "2", f"--reuse={tmp_path / 'days'}")
    assert again.out.count("10 shards copied from an earlier dataset\n") == 2


def test_latest_names_the_newest_by_name_with_the_checksum_of_its_manifest(tmp_path: Path, data: Path) -> None:
    for day in ("2026-11-22", "2026-11-23", "2026-11-21"):
        make_day(tmp_path, data, day)
    latest = json.loads((tmp_path / "days" / "latest.json").read_text())
    manifest = (tmp_path / "days" / "2026-11-23" / "manifest.json").read_bytes()
    assert latest == {"dataset": "2026-11-23", "manifest_sha256": sha256(manifest).hexdigest()}


def test_latest_is_put_back_where_there_is_nothing_else_to_do(tmp_path: Path, data: Path) -> None:
    make_day(tmp_path, data, "a")
    (tmp_path / "days" / "latest.json").unlink()
    make_day(tmp_path, data, "a")
    assert read_latest(str(tmp_path / "days")) == "a"


def test_latest_follows_also_where_nobody_waits_for_the_run(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As if the program had ended before the job: only the job itself announces the dataset.
    left_out = count_calls(monkeypatch, "maskmill.pipeline.create.make_dataset.announce_latest", lambda *_: "")
    make_day(tmp_path, data, "a")
    make_day(tmp_path, data, "b")
    assert len(left_out) == 2
    assert read_latest(str(tmp_path / "days")) == "b"


def test_a_run_that_fails_leaves_latest_where_it_was(tmp_path: Path, data: Path) -> None:
    make_day(tmp_path, data, "a")
    (data / "train_images" / "02.jpg").write_bytes(b"")
    create(tmp_path, data, *FLAGS, f"--reuse={tmp_path / 'days'}", output="days/b", status=3)
    assert read_latest(str(tmp_path / "days")) == "a"


def test_a_damaged_shard_is_not_taken_over(tmp_path: Path, data: Path) -> None:
    first = make_day(tmp_path, data, "a")
    whole = tree(first)
    shard = first / "train_input" / "preprocessed_data-1_p0.h5"
    content = bytearray(shard.read_bytes())
    content[-1] ^= 1
    shard.write_bytes(content)
    second = make_day(tmp_path, data, "b")
    assert states(second) == {"written": 1, "kept": 0, "reused": 7}
    shards = {name: text for name, text in whole.items() if name.endswith(".h5")}
    assert {name: text for name, text in tree(second).items() if name.endswith(".h5")} == shards


def test_a_shard_that_is_removed_meanwhile_is_written(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = make_day(tmp_path, data, "a")

    def remove_one(*arguments: Any) -> None:
        (first / "eval_input" / "preprocessed_data-0_p0.h5").unlink()
        build_graph(*arguments)

    monkeypatch.setattr("maskmill.pipeline.create.run_graph.build_graph", remove_one)
    assert states(make_day(tmp_path, data, "b")) == {"written": 1, "kept": 0, "reused": 7}


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"dataset": "../x"}', '{"dataset": 3}'])
def test_a_latest_that_names_nothing_is_wrong_usage(
    tmp_path: Path, data: Path, content: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "days").mkdir()
    (tmp_path / "days" / "latest.json").write_text(content)
    create(tmp_path, data, f"--reuse={tmp_path / 'days'}", output="days/a", status=2)
    assert "latest.json names no dataset; remove it" in capsys.readouterr().err


def test_a_dataset_of_latest_that_is_gone_is_only_told(
    tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "days").mkdir()
    (tmp_path / "days" / "latest.json").write_text('{"dataset": "gone"}')
    params = write_params(tmp_path / "params.yaml", data)
    said = create_here(params, tmp_path / "days" / "a", f"--reuse={tmp_path / 'days'}")
    assert f"nothing to reuse: {tmp_path / 'days' / 'gone'} holds no dataset that is whole" in said.err
    assert read_latest(str(tmp_path / "days")) == "a"


def test_a_file_is_nothing_to_reuse(tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    create(tmp_path, data, f"--reuse={data / 'train.csv'}", status=2)
    assert "is a file; name a dataset, or a folder of datasets" in capsys.readouterr().err
