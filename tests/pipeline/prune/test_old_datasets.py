"""`maskmill prune`: old datasets go, and nothing else."""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path

import pytest

from maskmill.pipeline.cli import main
from maskmill.pipeline.dataset.run_lock import locked
from tests.support.builders import write_dataset
from tests.support.command import create, tree

DAYS = ("2026-11-20", "2026-11-21", "2026-11-22")


@pytest.fixture(name="made", scope="module")
def make_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset, to be copied."""
    folder = tmp_path_factory.mktemp("prune")
    return create(folder, write_dataset(folder / "data", ["a.jpg,3,1 1", "b.jpg,3,1 1"]), "--num_output_files=1")


@pytest.fixture(name="days")
def make_days(tmp_path: Path, made: Path) -> Path:
    for day in DAYS:
        shutil.copytree(made, tmp_path / "days" / day)
    return tmp_path / "days"


def set_latest(days: Path, name: str) -> None:
    (days / "latest.json").write_text(json.dumps({"dataset": name}))


def left(days: Path) -> list[str]:
    return sorted(path.name for path in days.iterdir() if path.is_dir())


def prune(days: Path, *flags: str) -> int:
    return main(["prune", str(days), *flags])


@pytest.mark.parametrize(("keep", "stay"), [(1, DAYS[2:]), (2, DAYS[1:]), (3, DAYS), (9, DAYS)])
def test_the_last_by_name_stay(days: Path, keep: int, stay: tuple[str, ...]) -> None:
    set_latest(days, DAYS[2])
    assert prune(days, f"--keep={keep}") == 0
    assert left(days) == list(stay)


def test_the_one_that_latest_names_stays_always(days: Path) -> None:
    set_latest(days, DAYS[0])
    assert prune(days, "--keep=1") == 0
    assert left(days) == [DAYS[0], DAYS[2]]


def test_a_dry_run_removes_nothing_and_says_what_would_go(days: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = tree(days)
    assert prune(days, "--keep=2", "--dry_run") == 0
    assert capsys.readouterr().out == "2026-11-20 would be removed\nkept, by name: 2026-11-21, 2026-11-22\n"
    assert tree(days) == before


def test_folders_without_a_whole_manifest_are_left_alone_and_named(
    days: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (days / "0 in the making").mkdir()
    (days / DAYS[0] / "manifest.json").write_text("{}")
    (days / "0 link").symlink_to(days / DAYS[1])
    assert prune(days, "--keep=1") == 0
    assert left(days) == ["0 in the making", DAYS[0], DAYS[2]]
    out = capsys.readouterr().out
    assert "0 in the making is left alone" in out
    assert f"{DAYS[0]} is left alone" in out


def test_a_dataset_that_is_written_to_stays(days: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with locked(str(days / DAYS[0]), DAYS[0], "another"):
        assert prune(days, "--keep=1") == 1
    assert left(days) == [DAYS[0], DAYS[2]]
    err = capsys.readouterr().err
    assert "2026-11-20 stays: another run is writing to 2026-11-20" in err
    assert "1 of 2 old datasets could not be removed" in err


def test_the_manifest_goes_first_and_the_next_time_the_rest(days: Path) -> None:
    def fail(path: Path) -> None:
        raise OSError(5, "Input/output error", str(path))

    unlink = os.remove
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "remove", lambda path: unlink(path) if path.endswith("manifest.json") else fail(path))
        assert prune(days, "--keep=2") == 1
    assert not (days / DAYS[0] / "manifest.json").exists()
    assert (days / DAYS[0] / "train_input").exists()
    make_old(days / DAYS[0])
    assert prune(days, "--keep=2") == 0
    assert left(days) == list(DAYS[1:])


def make_old(folder: Path, hours: int = 25) -> None:
    """As if nothing below a folder had been written for some hours."""
    for path in (folder, *folder.rglob("*")):
        os.utime(path, (time.time() - hours * 3600,) * 2)


def leave_unfinished(folder: Path, *, hours: int = 25) -> None:
    """What a run leaves that is killed while it writes its shards."""
    attempt = folder / ".staging" / "key" / "train_input" / "maskmill-1-x.attempt"
    attempt.mkdir(parents=True)
    (attempt / "shard.h5").write_bytes(bytes(1500))
    (folder / ".staging" / "key" / "train_input" / "0-data-0_p0.h5").write_bytes(bytes(500))
    make_old(folder, hours)


def test_what_unfinished_runs_have_left_goes_when_it_is_older_than_a_day(
    days: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = tree(days / DAYS[1])
    leave_unfinished(days / DAYS[1])
    leave_unfinished(days / "2026-11-23")
    leave_unfinished(days / "2026-11-24", hours=23)
    (days / "latest.json.1.attempt").write_bytes(bytes(70))
    os.utime(days / "latest.json.1.attempt", (0, 1))
    assert prune(days, "--keep=3", "--dry_run") == 0
    err = "an unfinished run has left {}, more than a day ago; it would be removed"
    assert capsys.readouterr().err.splitlines() == [
        f"2026-11-21: {err.format('2.0 kB')}",
        f"2026-11-23: {err.format('2.0 kB')}",
        "2026-11-24: an unfinished run has left 2.0 kB, less than a day ago; it stays",
        f"latest.json.1.attempt: {err.format('70 B')}",
    ]
    assert (days / "2026-11-23").exists()
    assert prune(days, "--keep=3") == 0
    said = capsys.readouterr()
    assert said.err.count("more than a day ago; it is removed") == 3
    assert "left alone" not in said.out
    assert sorted(path.name for path in days.iterdir()) == [*DAYS, "2026-11-24"]
    assert tree(days / DAYS[1]) == before


def test_what_a_run_that_lives_has_written_stays(days: Path, capsys: pytest.CaptureFixture[str]) -> None:
    leave_unfinished(days / "2026-11-23")
    with locked(str(days / "2026-11-23"), "2026-11-23", "another"):
        assert prune(days, "--keep=3") == 0
    assert "it stays: another run is writing to 2026-11-23" in capsys.readouterr().err
    assert (days / "2026-11-23" / ".staging" / "key").exists()


def test_a_lock_of_a_killed_run_is_no_hindrance(days: Path) -> None:
    leave_unfinished(days / "2026-11-23")
    (days / "2026-11-23" / ".lock").write_text("{}")
    (days / "2026-11-24").mkdir()
    (days / "2026-11-24" / ".lock").write_text("{}")
    make_old(days / "2026-11-24")
    assert prune(days, "--keep=3") == 0
    assert left(days) == list(DAYS)


def test_a_folder_in_which_every_night_has_failed_can_be_pruned(days: Path) -> None:
    leave_unfinished(days / "failed" / "2026-11-23")
    assert prune(days / "failed", "--keep=3") == 0
    assert left(days / "failed") == []


def test_a_dataset_of_latest_that_its_own_command_can_complete_stays(
    days: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in DAYS[1:]:
        (days / name / "manifest.json").unlink()
        (days / name / ".staging").mkdir()
        journal = {"key": "", "files": [str(path.relative_to(days / name)) for path in days.glob(f"{name}/*/*.h5")]}
        (days / name / ".staging" / "publishing.json").write_text(json.dumps({**journal, "shards": {}}))
        make_old(days / name)
    set_latest(days, DAYS[2])
    before = tree(days / DAYS[2])
    assert prune(days, "--keep=1") == 0
    assert "it stays, because latest.json names it" in capsys.readouterr().err
    assert left(days) == [DAYS[0], DAYS[2]]
    assert tree(days / DAYS[2]) == before


@pytest.mark.parametrize("name", ["", "nowhere", DAYS[0]])
def test_a_folder_without_datasets_is_wrong_usage(
    days: Path, name: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert prune(days / name if name else tmp_path, "--keep=1") == 2
    assert "holds no datasets; name the folder in which they lie" in capsys.readouterr().err
    assert left(days) == list(DAYS)


@pytest.mark.parametrize("flags", [(), ("--keep=0",), ("--keep=all",)])
def test_how_many_stay_has_to_be_said(days: Path, flags: tuple[str, ...]) -> None:
    assert prune(days, *flags) == 2
    assert left(days) == list(DAYS)
