"""What a failed day has finished is of use to the next day, and nothing of it stays."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from maskmill.pipeline.dataset import publish
from maskmill.pipeline.dataset.latest import read_latest
from maskmill.pipeline.dataset.run_lock import locked
from tests.support.builders import grey_pixels, image_bytes, write_dataset
from tests.support.command import create, create_here, tree, write_params

ROWS = [f"{index:02}.jpg,3,{1 + index} 2" for index in range(16)]
SHARDS = 8


@pytest.fixture(name="data")
def make_data(tmp_path: Path) -> Path:
    return write_dataset(tmp_path / "data", ROWS)


@pytest.fixture(name="days")
def name_days(tmp_path: Path) -> Path:
    return tmp_path / "days"


def make_day(days: Path, data: Path, day: str, *flags: str, status: int = 0) -> str:
    """Makes the dataset of a day; returns what is said on standard error."""
    params = write_params(days.parent / "params.yaml", data)
    flags = ("--num_output_files=4", f"--reuse={days}", *flags)
    return create_here(params, days / day, *flags, status=status).err


def fail_day(days: Path, data: Path, day: str, image: str = "02.jpg") -> None:
    """Runs a day with a bad image, of which every shard is finished but nothing published; then mends the image."""
    path = data / "train_images" / image
    content, times = path.read_bytes(), path.stat()
    path.write_bytes(b"no image")
    make_day(days, data, day, status=3)
    path.write_bytes(content)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


@pytest.fixture(name="no_manifest")
def fail_at_the_manifest(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Has publishing end before the manifest is written, as if it had been killed."""

    def fail(job: object, name: str, text: bytes) -> None:
        if name == "manifest.json":
            raise OSError(5, "Input/output error", name)
        put_in_place(job, name, text)  # type: ignore[arg-type]

    put_in_place = publish._put_in_place
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(publish, "_put_in_place", fail)
        yield patch


def left(days: Path) -> list[str]:
    return sorted(path.name for path in days.iterdir())


def files_of(folder: Path) -> set[int]:
    """The files of shards below a folder, whatever they are called."""
    return {path.stat().st_ino for path in folder.rglob("*.h5")}


def as_if_alone(tmp_path: Path, data: Path, day: str) -> dict[str, bytes]:
    """What a run makes that finds nothing."""
    (tmp_path / "days").rename(tmp_path / "aside")
    return tree(create(tmp_path, data, "--num_output_files=4", output=f"days/{day}"))


def test_the_next_day_uses_the_shards_of_a_failed_one_and_removes_its_folder(
    tmp_path: Path, days: Path, data: Path
) -> None:
    fail_day(days, data, "2026-11-22")
    finished = files_of(days)
    assert len(finished) == SHARDS
    said = make_day(days, data, "2026-11-23")
    assert "a run has left 2026-11-22 unfinished; 8 finished shards of it are taken over" in said
    assert len(files_of(days) & finished) == SHARDS - 1
    assert left(days) == ["2026-11-23", "latest.json"]
    found = tree(days / "2026-11-23")
    assert found == as_if_alone(tmp_path, data, "2026-11-23")


def test_a_day_that_was_killed_while_publishing_is_taken_over_whole(
    tmp_path: Path, days: Path, data: Path, no_manifest: pytest.MonkeyPatch
) -> None:
    make_day(days, data, "a", status=1)
    no_manifest.undo()
    finished = files_of(days)
    assert len(list(days.glob("a/*_input/*.h5"))) == SHARDS
    make_day(days, data, "b")
    assert files_of(days) == finished
    assert left(days) == ["b", "latest.json"]
    found = tree(days / "b")
    assert found == as_if_alone(tmp_path, data, "b")


def test_nights_that_fail_one_after_the_other_leave_the_shards_of_one(days: Path, data: Path) -> None:
    for number, day in enumerate("abcd"):
        fail_day(days, data, day, f"{number:02}.jpg")
        assert left(days) == [day]
        assert len(files_of(days)) == SHARDS


def test_shards_of_no_use_are_not_published_and_go(tmp_path: Path, days: Path, data: Path) -> None:
    fail_day(days, data, "a")
    for path in (data / "train_images").iterdir():
        path.write_bytes(image_bytes(grey_pixels(99)))
    make_day(days, data, "b")
    assert left(days) == ["b", "latest.json"]
    found = tree(days / "b")
    assert found == as_if_alone(tmp_path, data, "b")


def test_a_damaged_shard_is_written_again(tmp_path: Path, days: Path, data: Path) -> None:
    fail_day(days, data, "a")
    for shard in days.rglob("*.h5"):
        shard.write_bytes(shard.read_bytes()[:-1] + b"?")
    make_day(days, data, "b")
    found = tree(days / "b")
    assert found == as_if_alone(tmp_path, data, "b")


def test_the_folder_of_a_run_that_lives_is_left_alone(days: Path, data: Path) -> None:
    fail_day(days, data, "a")
    before = files_of(days / "a")
    with locked(str(days / "a"), "a", "another"):
        said = make_day(days, data, "b")
    assert "what an unfinished run has left in a stays there: another run is writing to a" in said
    assert files_of(days / "a") == before


def test_without_a_lock_a_folder_that_has_one_is_left_alone(days: Path, data: Path) -> None:
    fail_day(days, data, "a")
    (days / "a" / ".lock").write_text('{"run": "another"}')
    make_day(days, data, "b", "--no_lock")
    assert (days / "a" / ".staging").exists()
    (days / "a" / ".lock").unlink()
    make_day(days, data, "c", "--no_lock")
    assert left(days) == ["b", "c", "latest.json"]


def test_a_whole_dataset_loses_only_the_staging_folder(days: Path, data: Path) -> None:
    make_day(days, data, "a")
    before = tree(days / "a")
    fail_day(days, data, "a")
    make_day(days, data, "b")
    assert tree(days / "a") == before
    assert not (days / "a" / ".staging").exists()


def test_what_a_killed_run_has_begun_goes_and_the_files_of_others_stay(days: Path, data: Path) -> None:
    for name in ("0 of somebody", "1 killed", "2 killed"):
        (days / name).mkdir(parents=True)
    (days / "0 of somebody" / "train.h5").write_text("mine")
    (days / "1 killed" / ".lock").write_text("{}")
    (days / "2 killed" / ".staging" / "key").mkdir(parents=True)
    (days / "2 killed" / "notes.txt").write_text("mine")
    make_day(days, data, "3")
    assert left(days) == ["0 of somebody", "2 killed", "3", "latest.json"]
    assert left(days / "2 killed") == ["notes.txt"]


def test_a_day_with_nothing_to_do_removes_it_too(days: Path, data: Path) -> None:
    make_day(days, data, "b")
    before = tree(days / "b")
    fail_day(days, data, "a")
    make_day(days, data, "b")
    assert left(days) == ["b", "latest.json"]
    assert tree(days / "b") == before


def test_days_that_come_after_this_one_are_left_alone(days: Path, data: Path) -> None:
    fail_day(days, data, "c")
    make_day(days, data, "b")
    assert left(days) == ["b", "c", "latest.json"]
    assert len(files_of(days / "c")) == SHARDS


def test_a_dataset_of_latest_that_its_own_command_can_complete_stays(days: Path, data: Path) -> None:
    make_day(days, data, "a")
    (days / "a" / "manifest.json").unlink()
    (days / "a" / ".staging").mkdir()
    (days / "a" / ".staging" / "publishing.json").write_text('{"key": "", "files": [], "shards": {}}')
    make_day(days, data, "b")
    assert read_latest(str(days)) == "b"
    assert (days / "a" / ".staging").exists()
    make_day(days, data, "c")
    assert not (days / "a" / ".staging").exists()


def test_a_damaged_journal_of_another_day_is_told_and_stays(days: Path, data: Path) -> None:
    fail_day(days, data, "a")
    (days / "a" / ".staging" / "publishing.json").write_text("{")
    said = make_day(days, data, "b")
    assert "what an unfinished run has left in a stays there" in said
    assert "publishing.json is damaged" in said
