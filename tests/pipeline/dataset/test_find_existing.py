"""What is found in an output folder: shards to keep, foreign files, manifests and journals that are refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from maskmill.pipeline.dataset.find_existing import find_existing, of_naming
from maskmill.pipeline.errors import MaskmillError, UsageError
from tests.support.command import tree
from tests.support.publications import SPLITS, make_job, stage, staged


def one_shard(path: object) -> str:
    entry = {"file": path, "examples": 1, "bytes": 1, "sha256": "", "fingerprint": ""}
    return json.dumps({"splits": {"train_input": {"shards": [entry]}}})


def test_files_of_a_publishing_that_was_cut_off_are_still_known_as_ours(tmp_path: Path) -> None:
    job = make_job(tmp_path, shards=3)
    job.publish(stage(job, "old"))
    job = make_job(tmp_path, shards=1)
    metadata = stage(job, "new")
    staged(job, "eval_input", 0, "new").unlink()
    with pytest.raises(MaskmillError):
        job.publish(metadata)
    assert find_existing(str(tmp_path), SPLITS).foreign == ()
    job = make_job(tmp_path, shards=1)
    job.publish(stage(job, "new"))
    assert sorted(path for path in tree(tmp_path) if path.endswith(".h5")) == [
        "eval_input/data-0_p0.h5",
        "train_input/data-0_p0.h5",
    ]


def test_hdf5_files_that_no_manifest_lists_are_foreign(tmp_path: Path) -> None:
    job = make_job(tmp_path)
    job.publish(stage(job))
    present = ["train_input/data-0_p0.h5", "train_input/data-7_p0.h5", "eval_input/other.h5"]
    for path in present[1:]:
        (tmp_path / path).write_text("of somebody else")
    assert find_existing(str(tmp_path), SPLITS).foreign == ("eval_input/other.h5", "train_input/data-7_p0.h5")
    assert of_naming(present, "data") == ["train_input/data-0_p0.h5", "train_input/data-7_p0.h5"]


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{}",
        "[]",
        '{"splits": 3}',
        '{"splits": {"train_input": {}}}',
        one_shard("../../data-0_p0.h5"),
        one_shard("/train_input/data-0_p0.h5"),
        one_shard("../data-0_p0.h5"),
        one_shard("train_input/x"),
        one_shard(3),
    ],
)
def test_a_manifest_of_somebody_else_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(UsageError, match="is not of a dataset of maskmill"):
        find_existing(str(tmp_path), SPLITS)


@pytest.mark.parametrize("files", [["../data-0_p0.h5"], ["/etc/passwd"], 3, [3]])
def test_a_journal_that_names_other_files_is_refused(tmp_path: Path, files: object) -> None:
    (tmp_path / ".staging").mkdir()
    (tmp_path / ".staging" / "publishing.json").write_text(json.dumps({"files": files, "shards": {}, "key": "key"}))
    with pytest.raises(UsageError, match=r"publishing\.json is damaged; remove the folder \.staging"):
        find_existing(str(tmp_path), SPLITS)


def test_shards_that_a_cut_off_publishing_had_moved_are_kept_and_those_it_had_not_are_not(tmp_path: Path) -> None:
    job = make_job(tmp_path)
    job.publish(stage(job, "older"))
    job = make_job(tmp_path)
    metadata = stage(job, "newer")
    in_the_way = tmp_path / "eval_input" / "data-1_p0.h5"
    in_the_way.unlink()
    in_the_way.mkdir()
    with pytest.raises(IsADirectoryError):
        job.publish(metadata)
    in_the_way.rmdir()
    shards = find_existing(str(tmp_path), SPLITS).shards
    assert sorted(shards) == ["eval_input/data-0_p0.h5", "train_input/data-0_p0.h5", "train_input/data-1_p0.h5"]
    assert all(stored.fingerprint == "newer" for stored in shards.values())


def test_a_manifest_that_was_changed_is_not_trusted_and_its_shards_are_still_ours(tmp_path: Path) -> None:
    job = make_job(tmp_path)
    job.publish(stage(job))
    manifest = tmp_path / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"shared_images": 0', '"shared_images": 1'))
    existing = find_existing(str(tmp_path), SPLITS)
    assert (existing.manifest, existing.shards, existing.complete) == (None, {}, False)
    assert len(existing.ours) == 4
    assert "written again" in existing.warnings[0]


@pytest.mark.parametrize("content", ["", "{", '{"splits": 3}', one_shard("../../data-0_p0.h5")])
def test_a_manifest_that_cannot_be_read_any_more_is_ours_if_the_history_proves_it(tmp_path: Path, content: str) -> None:
    job = make_job(tmp_path)
    job.publish(stage(job))
    (tmp_path / "manifest.json").write_text(content)
    (tmp_path / "meta_other.dat").write_text("what is this\n/somewhere/x 3\n")
    existing = find_existing(str(tmp_path), SPLITS)
    assert (existing.manifest, existing.shards, existing.complete) == (None, {}, False)
    assert existing.ours == {f"{split}/data-{number}_p0.h5" for split in SPLITS for number in range(2)}
    assert (existing.foreign, len(existing.warnings)) == ((), 1)
    history = tmp_path / "history.jsonl"
    for damage in (lambda: history.write_text(history.read_text().replace("run", "sun")), history.unlink):
        damage()
        with pytest.raises(UsageError, match="is not of a dataset of maskmill; if it is a damaged one, remove it and"):
            find_existing(str(tmp_path), SPLITS)
