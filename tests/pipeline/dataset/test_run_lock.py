"""One run at a time in an output folder."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from maskmill.pipeline.dataset import run_lock
from maskmill.pipeline.dataset.run_lock import check_not_superseded, locked
from maskmill.pipeline.errors import MaskmillError
from maskmill.pipeline.verify.verify_dataset import verify
from maskmill.transforms.files.object_store import Content
from tests.support.builders import write_dataset, write_params
from tests.support.command import create, digest

ROWS = [f"{index:03}.jpg,3,{1 + index} 2" for index in range(60)]


def start(params: Path, output: Path, *flags: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "maskmill", "create", "--params", params, "--output_dir", output, *flags]
    return subprocess.Popen(list(map(str, command)), stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)


def test_a_second_run_is_refused_while_the_first_goes_on_and_the_folder_is_free_again_afterwards(
    tmp_path: Path,
) -> None:
    with locked(str(tmp_path / "out"), "out", "run"):
        with (
            pytest.raises(
                MaskmillError, match=rf"another run is writing to out .*process {os.getpid()} on .*, since 20"
            ),
            locked(str(tmp_path / "out"), "out", "run"),
        ):
            pytest.fail("both have the lock")
        assert (tmp_path / "out" / ".lock").exists()
    with locked(str(tmp_path / "out"), "out", "run"):
        (tmp_path / "out" / "file").touch()
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["file"]


def test_a_folder_is_removed_again_if_nothing_is_written_there_unless_it_was_there_before(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    for name in ("old", "new"):
        with locked(str(tmp_path / name), name, "run"):
            pass
    assert [path.name for path in tmp_path.iterdir()] == ["old"]


def test_the_lock_ends_with_its_process_however_that_ends(tmp_path: Path) -> None:
    data = write_dataset(tmp_path / "data", ROWS)
    params = write_params(tmp_path / "params.yaml", data, image_shape=[900, 1600, 1], max_image_shape=[900, 1600])
    process = start(params, tmp_path / "out")
    while not list((tmp_path / "out").glob(".staging/*/*/*.h5")):
        assert process.poll() is None
        time.sleep(0.01)
    create(tmp_path, data, status=1)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert (tmp_path / "out" / ".lock").exists()
    create(tmp_path, data)
    assert not (tmp_path / "out" / ".lock").exists()


def test_a_lock_file_that_its_holder_takes_away_at_that_moment_is_not_taken_for_the_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = fcntl.flock, []

    def flock(file: object, operation: int) -> None:
        calls.append(operation)
        if len(calls) == 1:
            (tmp_path / ".lock").unlink()
        real(file, operation)

    monkeypatch.setattr("fcntl.flock", flock)
    with locked(str(tmp_path), "out", "run"):
        assert len(calls) == 2
        with pytest.raises(MaskmillError, match="another run"), locked(str(tmp_path), "out", "run"):
            pytest.fail("both have the lock")


def test_a_run_that_has_outlived_its_lock_does_not_publish_once_another_has_begun(tmp_path: Path) -> None:
    check_not_superseded(str(tmp_path), "out", "first")
    with locked(str(tmp_path), "out", "second"):
        check_not_superseded(str(tmp_path), "out", "second")
        with pytest.raises(MaskmillError, match="another run has begun to write to out"):
            check_not_superseded(str(tmp_path), "out", "first")


def test_without_a_lock_the_run_that_began_last_publishes(tmp_path: Path) -> None:
    root = str(tmp_path / "out")
    with locked(root, "out", "first", no_lock=True):
        check_not_superseded(root, "out", "first")
        with locked(root, "out", "second", no_lock=True):
            check_not_superseded(root, "out", "second")
            with pytest.raises(MaskmillError, match="another run has begun to write to out"):
                check_not_superseded(root, "out", "first")
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("content", [b"", b'{"run": "killed"}', b"{"])
def test_what_a_killed_run_has_left_is_no_hindrance_without_a_lock(tmp_path: Path, content: bytes) -> None:
    (tmp_path / ".lock").write_bytes(content)
    with locked(str(tmp_path), "out", "run", no_lock=True):
        check_not_superseded(str(tmp_path), "out", "run")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_to_is_named_without_a_lock_too(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(MaskmillError, match="out: cannot be written to"),
        locked(str(tmp_path / "file" / "out"), "out", "run", no_lock=True),
    ):
        pytest.fail("there is no such folder")


def test_the_name_that_another_run_has_left_stays_if_there_are_no_locks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def flock(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", flock)
    with locked(str(tmp_path), "out", "first", no_lock=True):
        with (
            pytest.raises(MaskmillError, match=r"out: its file system cannot lock a file \(No locks available\), so a"),
            locked(str(tmp_path), "out", "second"),
        ):
            pytest.fail("there is no lock")
        check_not_superseded(str(tmp_path), "out", "first")
        assert (tmp_path / ".lock").exists()


class StoreWithoutConditions:
    """An object store that knows no conditional requests."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    def read(self, path: str) -> Content:
        if path not in self.objects:
            raise FileNotFoundError(path)
        return Content(self.objects[path], "1")

    def write(self, path: str, content: bytes) -> None:
        self.objects[path] = content

    def swap(self, path: str, *_: object) -> str:
        raise OSError(f"{path}: An error occurred (NotImplemented) when calling the PutObject operation")

    def delete(self, paths: list[str]) -> None:
        for path in paths:
            self.objects.pop(path, None)


def test_a_store_without_conditional_requests_is_named_and_no_lock_does_without(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store = StoreWithoutConditions()
    monkeypatch.setattr(run_lock, "store_of", lambda _: store)
    with (
        pytest.raises(MaskmillError, match=r"s3://b/out: its store cannot lock a file \(.*NotImplemented.*--no_lock"),
        locked("s3://b/out", "s3://b/out", "run"),
    ):
        pytest.fail("there is no lock")
    with locked("s3://b/out", "s3://b/out", "run", no_lock=True):
        assert json.loads(store.objects["s3://b/out/.lock"])["run"] == "run"
    assert store.objects == {}


@pytest.mark.parametrize("times", [1, pytest.param(5, marks=pytest.mark.slow)])
@pytest.mark.parametrize("other", [(), ("--num_output_files=7",)])
def test_two_runs_at_once_never_make_a_mixed_dataset(tmp_path: Path, other: tuple[str, ...], times: int) -> None:
    data = write_dataset(tmp_path / "data", ROWS)
    params = write_params(tmp_path / "params.yaml", data)
    expected = [digest(create(tmp_path, data, *flags, output=f"alone{flags}")) for flags in ((), other)]
    for _ in range(times):
        runs = [start(params, tmp_path / "out"), start(params, tmp_path / "out", *other)]
        errors = [run.communicate(timeout=120)[1] for run in runs]
        statuses = [run.returncode for run in runs]
        assert 0 in statuses
        assert set(statuses) <= {0, 1}
        assert all(
            ("another run is writing to" in err) == (status == 1) for err, status in zip(errors, statuses, strict=True)
        )
        assert verify(str(tmp_path / "out"), quick=False).problems == ()
        assert digest(tmp_path / "out") in expected
        if statuses[0] != statuses[1]:
            assert digest(tmp_path / "out") == expected[statuses.index(0)]
