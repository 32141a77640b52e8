"""The staging folder: what has a record is complete, and nothing else is taken for a shard."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from maskmill.transforms.files.checksums import sha256_of
from maskmill.transforms.shards import staging
from maskmill.transforms.shards.records import ReusableShard, StoredShard
from maskmill.transforms.shards.staging import (
    count_staged,
    list_records,
    list_staged,
    local_attempt,
    read_record,
    remove_dead_attempts,
    stage,
    stage_copy,
)
from tests.support.command import ROOT

CONTENT = b"content of a shard"


@pytest.fixture(name="staged")
def make_folder(tmp_path: Path) -> str:
    (tmp_path / "staging" / "train_input").mkdir(parents=True)
    return str(tmp_path / "staging" / "train_input" / "0123-data-0_p0.h5")


def stage_content(staged: str) -> StoredShard:
    with local_attempt(staged) as attempt:
        Path(attempt).write_bytes(CONTENT)
        stored = StoredShard(1, len(CONTENT), sha256_of(attempt), "0123")
        stage(attempt, staged, stored)
    return stored


def test_a_staged_shard_has_its_record_and_nothing_else_is_left(tmp_path: Path, staged: str) -> None:
    stored = stage_content(staged)
    assert read_record(staged) == stored
    assert Path(staged).read_bytes() == CONTENT
    names = {f"train_input/{Path(staged).name}", f"train_input/{Path(staged).name}.json"}
    assert list_staged(str(tmp_path / "staging"), ["train_input", "eval_input"]) == names
    assert {path.name for path in Path(staged).parent.iterdir()} == {name.split("/")[1] for name in names}
    assert count_staged(str(tmp_path / "staging"), ["train_input", "eval_input"]) == 1


def test_records_are_listed_and_damaged_ones_among_them(tmp_path: Path, staged: str) -> None:
    stored = stage_content(staged)
    other = staged.replace("data-0", "data-1")
    stage_content(other)
    Path(f"{other}.json").write_text("{}")
    Path(staged.replace("data-0", "data-2")).write_bytes(b"without a record")
    assert list_records(str(tmp_path / "staging"), ["train_input", "eval_input"]) == {staged: stored, other: None}


def test_a_shard_without_its_record_or_its_file_is_not_staged(tmp_path: Path, staged: str) -> None:
    assert read_record(staged) is None
    stage_content(staged)
    Path(staged).unlink()
    assert read_record(staged) is None
    stage_content(staged)
    Path(f"{staged}.json").unlink()
    assert read_record(staged) is None
    assert count_staged(str(tmp_path / "staging"), ["train_input"]) == 0


@pytest.mark.parametrize("record", [b"", b"{", b"[]", b"{}", b'{"examples": 1}', b"\xff"])
def test_a_damaged_record_is_none(staged: str, record: bytes) -> None:
    stage_content(staged)
    Path(f"{staged}.json").write_bytes(record)
    assert read_record(staged) is None


@pytest.mark.parametrize("damaged", [CONTENT[:-1], b"", bytes(len(CONTENT))])
def test_a_record_does_not_describe_a_file_that_a_power_failure_has_truncated(staged: str, damaged: bytes) -> None:
    stage_content(staged)
    Path(staged).write_bytes(damaged)
    assert read_record(staged) is None


def test_the_record_is_written_after_the_file(staged: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = []

    def look(path: str, _: StoredShard) -> None:
        found.append((path, Path(path).read_bytes()))

    monkeypatch.setattr(staging, "write_record", look)
    stage_content(staged)
    assert found == [(staged, CONTENT)]


def test_an_attempt_is_on_the_file_system_of_the_staging_folder_and_is_removed_after_an_error(staged: str) -> None:
    with contextlib.suppress(RuntimeError), local_attempt(staged) as attempt:
        assert Path(attempt).parents[1] == Path(staged).parent
        Path(attempt).write_bytes(b"half")
        raise RuntimeError
    assert not Path(attempt).exists()
    assert list(Path(staged).parent.iterdir()) == []


def test_an_attempt_for_a_store_is_among_the_temporary_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with local_attempt("gs://bucket/staging/a.h5") as attempt:
        assert Path(attempt).parents[1] == tmp_path
    assert list(tmp_path.iterdir()) == []


def test_a_copy_is_staged_with_the_facts_of_its_source(tmp_path: Path, staged: str) -> None:
    (tmp_path / "other.h5").write_bytes(CONTENT)
    stored = StoredShard(1, len(CONTENT), sha256_of(str(tmp_path / "other.h5")), "0123")
    assert stage_copy(ReusableShard(str(tmp_path / "other.h5"), stored), staged)
    assert read_record(staged) == stored
    assert (tmp_path / "other.h5").read_bytes() == CONTENT


@pytest.mark.parametrize("content", [None, b"damaged"])
def test_a_source_that_is_gone_or_damaged_is_not_staged(tmp_path: Path, staged: str, content: bytes | None) -> None:
    source = tmp_path / "other.h5"
    if content is not None:
        source.write_bytes(content)
    assert not stage_copy(ReusableShard(str(source), StoredShard(1, 7, "0" * 64, "0123")), staged)
    assert list(Path(staged).parent.iterdir()) == []


def test_what_killed_processes_left_among_the_temporary_files_is_removed_and_that_of_living_ones_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    for number in (process.pid, os.getpid(), "x"):
        (tmp_path / f"maskmill-{number}-abc.attempt").mkdir()
        (tmp_path / f"maskmill-{number}-abc.attempt" / "shard.h5").write_text("half")
    remove_dead_attempts()
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        f"maskmill-{os.getpid()}-abc.attempt",
        "maskmill-x-abc.attempt",
    ]


STOP_AMID_AN_ATTEMPT = """
import os, sys, threading
from maskmill.transforms.shards.staging import local_attempt, remove_attempts

with local_attempt(sys.argv[1]) as attempt:
    open(attempt, "w").close()
    remove_attempts()
    print(os.path.exists(os.path.dirname(attempt)))
    later = threading.Thread(target=lambda: local_attempt(sys.argv[1]).__enter__(), daemon=True)
    later.start()
    later.join(1)
    print(later.is_alive(), flush=True)
    os._exit(0)
"""


def test_a_process_that_ends_removes_its_attempts_and_begins_no_other(staged: str) -> None:
    command = [sys.executable, "-c", STOP_AMID_AN_ATTEMPT, staged]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.split() == ["False", "True"]
    assert list(Path(staged).parent.iterdir()) == []
