"""Staging to dataset."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from maskmill.history import read_lines
from maskmill.pipeline.dataset.changes import Changes
from maskmill.pipeline.dataset.find_existing import find_existing
from maskmill.pipeline.dataset.publish import describe_record
from maskmill.pipeline.errors import MaskmillError, TooManyRejectedError
from maskmill.pipeline.job.run import Run
from maskmill.transforms.files.checksums import sha256_of
from maskmill.transforms.rejected import RejectedRecord
from tests.support.command import tree
from tests.support.publications import SPLITS, make_job, stage, staged


def test_published_dataset_has_every_file_that_its_manifest_lists_and_no_staging(tmp_path: Path) -> None:
    job = make_job(tmp_path)
    job.publish(stage(job))
    files = tree(tmp_path)
    manifest = json.loads(files["manifest.json"])
    shards = [shard for split in manifest["splits"].values() for shard in split["shards"]]
    assert len(shards) == 4
    for shard in shards:
        assert len(files[shard["file"]]) == shard["bytes"]
        assert sha256_of(str(tmp_path / shard["file"])) == shard["sha256"]
    assert set(files) == {"manifest.json", *(shard["file"] for shard in shards), *manifest["files"]}
    assert set(manifest["files"]) == {
        "croissant.json",
        "data_params.json",
        "examples.csv",
        "meta_train_input.dat",
        "meta_eval_input.dat",
        "rejected.jsonl",
    }


def test_publishing_twice_is_publishing_once(tmp_path: Path) -> None:
    job = make_job(tmp_path)
    metadata = stage(job)
    job.publish(metadata)
    once = tree(tmp_path)
    job.publish(metadata)
    assert tree(tmp_path) == once


def test_a_dataset_that_another_run_has_published_meanwhile_is_left_alone(tmp_path: Path) -> None:
    make_job(tmp_path).publish(stage(make_job(tmp_path), "old"))
    job = make_job(tmp_path)
    other = job.changed("output", key="other")
    other.publish(stage(other, "other"))
    before = tree(tmp_path)
    metadata = stage(job, "new")
    with pytest.raises(MaskmillError, match="has changed since this run began"):
        job.publish(metadata)
    (tmp_path / "manifest.json").unlink()
    with pytest.raises(MaskmillError, match="has changed since this run began"):
        job.publish(metadata)
    del before["manifest.json"]
    assert {name: text for name, text in tree(tmp_path).items() if not name.startswith(".staging")} == before


@pytest.mark.parametrize("moved", [0, 1, 4])
def test_publishing_that_was_cut_off_is_finished_by_the_next_attempt(tmp_path: Path, moved: int) -> None:
    job = make_job(tmp_path)
    metadata = stage(job)
    for shard in metadata.shards[:moved]:
        target = tmp_path / shard.split / shard.file_name
        target.parent.mkdir(exist_ok=True)
        staged(job, shard.split, shard.number, "shard").rename(target)
    job.publish(metadata)
    assert len(find_existing(str(tmp_path), SPLITS).shards) == 4


def test_a_publishing_that_is_resumed_tells_the_changes_of_its_first_attempt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = make_job(tmp_path)
    job.publish(stage(job, "old"))
    job = make_job(tmp_path)._replace(run=Run(id="the next", started="", runner=""))
    metadata = stage(job, "new")
    numbers = {"added": 1, "removed": 0, "moved": [["train_input", "eval_input", 2]], "image": 3, "mask": 4}
    changes = Changes({"train_input": {"image changed": 2}, "eval_input": {"positions moved": 2}}, numbers)
    with monkeypatch.context() as patch:
        patch.setattr("maskmill.pipeline.dataset.publish._move_into_place", _cut_off)
        with pytest.raises(OSError, match="cut off"):
            job.publish(metadata, changes)
    assert not (tmp_path / "manifest.json").exists()
    job.publish(metadata)
    entry = read_lines((tmp_path / "history.jsonl").read_bytes())[-1].entry
    assert entry is not None
    assert (entry["reasons"], entry["changes"]) == changes


def _cut_off(_: object) -> None:
    raise OSError("cut off")


def test_a_shard_that_is_neither_staged_nor_in_its_place_fails_before_anything_is_changed(tmp_path: Path) -> None:
    job = make_job(tmp_path)
    job.publish(stage(job, "old"))
    before = tree(tmp_path)
    job = make_job(tmp_path)
    metadata = stage(job, "new")
    staged(job, "train_input", 1, "new").unlink()
    with pytest.raises(MaskmillError, match="has vanished"):
        job.publish(metadata)
    assert {name: text for name, text in tree(tmp_path).items() if not name.startswith(".staging/")} == before


def test_a_smaller_dataset_takes_the_place_of_a_larger_one_and_leaves_other_files(tmp_path: Path) -> None:
    job = make_job(tmp_path, shards=5)
    job.publish(stage(job, "old"))
    (tmp_path / "train_input" / "notes.txt").write_text("mine")
    job = make_job(tmp_path, shards=2)
    job.publish(stage(job, "new"))
    names = sorted(path.name for path in (tmp_path / "train_input").iterdir())
    assert names == ["data-0_p0.h5", "data-1_p0.h5", "notes.txt"]
    assert (tmp_path / "train_input" / "data-0_p0.h5").read_text() == "new train_input 0"


def test_replaced_files_are_removed_only_when_the_new_dataset_is_published(tmp_path: Path) -> None:
    stale = tmp_path / "train_input" / "data-9_p0.h5"
    stale.parent.mkdir()
    stale.write_text("of somebody else")
    job = make_job(tmp_path, replaces=("train_input/data-9_p0.h5",))
    metadata = stage(job)
    assert stale.exists()
    job.publish(metadata)
    assert not stale.exists()


def rejected(line: int, code: str) -> RejectedRecord:
    return RejectedRecord(source="t.csv", line=line, image_id="a.jpg", class_id=3, code=code, message="bad")


def test_what_a_terminal_would_obey_is_not_shown() -> None:
    record = rejected(2, "CODE")._replace(image_id="a\x1b[2J\n.jpg")
    assert describe_record(record) == "t.csv:2: a?[2J?.jpg: bad (CODE)"


def test_a_dataset_with_lost_rows_is_not_published(tmp_path: Path) -> None:
    job = make_job(tmp_path)
    metadata = stage(job)
    with pytest.raises(MaskmillError, match="1 of 13 rows were lost"):
        job.check(metadata._replace(rows=metadata.rows._replace(read=13)))


def test_rejected_records_are_shown_up_to_twenty_with_a_count_by_code(tmp_path: Path) -> None:
    job = make_job(tmp_path)
    records = tuple(rejected(line, f"CODE_{line % 2}") for line in range(2, 27))
    with pytest.raises(TooManyRejectedError) as caught:
        job.check(stage(job)._replace(rejected=records))
    lines = str(caught.value).splitlines()
    assert lines[0] == "t.csv:2: a.jpg: bad (CODE_0)"
    assert lines[19].startswith("t.csv:21:")
    assert lines[20] == "… and 5 more"
    assert "25 rejected (13 CODE_0, 12 CODE_1)" in lines[21]
    assert "at most 0 allowed" in lines[21]


def test_kept_shards_stay_in_place_and_what_is_staged_of_an_earlier_attempt_is_not_taken_for_them(
    tmp_path: Path,
) -> None:
    job = make_job(tmp_path)
    metadata = stage(job)
    job.publish(metadata)
    before = {path: (tmp_path / path).stat().st_ino for path in tree(tmp_path) if path.endswith(".h5")}
    shards = find_existing(str(tmp_path), SPLITS).shards
    job = make_job(tmp_path, published=shards).changed("form", data_params={"model": {"loss": "ssce"}})
    stage(job, "stale")
    job.publish(metadata)
    assert {path: (tmp_path / path).stat().st_ino for path in tree(tmp_path) if path.endswith(".h5")} == before
    assert json.loads((tmp_path / "data_params.json").read_text())["model"] == {"loss": "ssce"}


def test_a_dataset_that_would_be_the_same_keeps_its_manifest_all_the_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = make_job(tmp_path)
    metadata = stage(job)
    job.publish(metadata)
    inode = (tmp_path / "manifest.json").stat().st_ino
    make_job(tmp_path, published=find_existing(str(tmp_path), SPLITS).shards).publish(metadata)
    assert (tmp_path / "manifest.json").stat().st_ino == inode


@pytest.mark.parametrize(
    "name", ["data_params.json", "meta_train_input.dat", "rejected.jsonl", "train_input/data-0_p0.h5"]
)
def test_what_is_missing_of_an_unchanged_dataset_is_put_back(tmp_path: Path, name: str) -> None:
    job = make_job(tmp_path)
    job.publish(stage(job))
    whole = tree(tmp_path)
    (tmp_path / name).unlink()
    existing = find_existing(str(tmp_path), SPLITS)
    assert not existing.complete
    job = make_job(tmp_path, published=existing.shards)
    job.publish(stage(job))
    assert tree(tmp_path) == whole
