"""`maskmill prune`: old datasets go, and nothing else."""

from __future__ import annotations

import json
import shutil
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


def test_the_manifest_goes_first(days: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(path: Path) -> None:
        raise OSError(5, "Input/output error", str(path))

    monkeypatch.setattr(shutil, "rmtree", fail)
    assert prune(days, "--keep=2") == 1
    assert not (days / DAYS[0] / "manifest.json").exists()
    assert (days / DAYS[0] / "train_input").exists()


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
