"""Staging to dataset."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.errors import SteelbeamError, TooManyRejectedError, UsageError
from pipeline.job import Job
from pipeline.publish import check_metadata, files_of_dataset, find_existing, of_naming, publish
from transforms.aggregate_metadata import DatasetMetadata, RejectedRecord, RowCounts
from transforms.assign_splits import SplitRule, SplitSize
from transforms.layout import ShardLayout
from transforms.staging import ShardSummary, sha256_of

SPLITS = ("train_input", "eval_input")


def make_job(root: Path, shards: int = 2, replaces: tuple[str, ...] = ()) -> Job:
    rules = tuple(SplitRule(split, 0, 3, 0.5, split == "train_input") for split in SPLITS)
    return Job(
        files=(),
        sources=(),
        folders=(),
        rules=rules,
        forms={},
        layout=ShardLayout("data", shards, 1),
        output_dir="out",
        root=str(root),
        staging=str(root / ".staging" / "key"),
        data_params={"model": {"loss": "bce"}},
        workers=None,
        replaces=replaces,
    )


def stage(job: Job, content: str = "shard") -> DatasetMetadata:
    """Staged shards of a job, and what is known of them."""
    summaries = []
    for split in SPLITS:
        for number in range(job.layout.num_shards):
            path = Path(job.staging) / split / job.layout.file_name(number)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{content} {split} {number}")
            digest = sha256_of(str(path))
            size = path.stat().st_size
            summaries.append(ShardSummary(split, number, path.name, 3, 3, 0, size, digest, content))
    examples = 3 * job.layout.num_shards
    sizes = {split: SplitSize(examples, 2 * examples) for split in SPLITS}
    rows = RowCounts(read=2 * examples, in_examples=2 * examples, filtered={}, rejected=0, merged=0)
    return DatasetMetadata(tuple(summaries), sizes, rows, (), 0)


def tree(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_published_dataset_has_every_file_that_its_manifest_lists_and_no_staging(tmp_path: Path) -> None:
    job = make_job(tmp_path)
    publish(job, stage(job))
    files = tree(tmp_path)
    manifest = json.loads(files["manifest.json"])
    shards = [shard for split in manifest["splits"].values() for shard in split["shards"]]
    assert len(shards) == 4
    for shard in shards:
        assert len(files[shard["file"]]) == shard["bytes"]
        assert sha256_of(str(tmp_path / shard["file"])) == shard["sha256"]
    assert set(files) == {"manifest.json", *(shard["file"] for shard in shards), *manifest["files"]}
    assert set(manifest["files"]) == {
        "data_params.json",
        "meta_train_input.dat",
        "meta_eval_input.dat",
        "rejected.jsonl",
    }


def test_publishing_twice_is_publishing_once(tmp_path: Path) -> None:
    job = make_job(tmp_path)
    metadata = stage(job)
    publish(job, metadata)
    once = tree(tmp_path)
    publish(job, metadata)
    assert tree(tmp_path) == once


@pytest.mark.parametrize("moved", [0, 1, 4])
def test_publishing_that_was_cut_off_is_finished_by_the_next_attempt(tmp_path: Path, moved: int) -> None:
    job = make_job(tmp_path)
    metadata = stage(job)
    for shard in metadata.shards[:moved]:
        target = tmp_path / shard.split / shard.file_name
        target.parent.mkdir(exist_ok=True)
        (Path(job.staging) / shard.split / shard.file_name).rename(target)
    publish(job, metadata)
    assert len(files_of_dataset(str(tmp_path))) == 4


def test_a_shard_that_is_neither_staged_nor_in_its_place_fails_and_leaves_no_manifest(tmp_path: Path) -> None:
    job = make_job(tmp_path)
    publish(job, stage(job, "old"))
    metadata = stage(job, "new")
    (Path(job.staging) / "train_input" / "data-1_p0.h5").unlink()
    with pytest.raises(SteelbeamError, match="has vanished"):
        publish(job, metadata)
    assert not (tmp_path / "manifest.json").exists()


def test_a_smaller_dataset_takes_the_place_of_a_larger_one_and_leaves_other_files(tmp_path: Path) -> None:
    job = make_job(tmp_path, shards=5)
    publish(job, stage(job, "old"))
    (tmp_path / "train_input" / "notes.txt").write_text("mine")
    job = make_job(tmp_path, shards=2)
    publish(job, stage(job, "new"))
    names = sorted(path.name for path in (tmp_path / "train_input").iterdir())
    assert names == ["data-0_p0.h5", "data-1_p0.h5", "notes.txt"]
    assert (tmp_path / "train_input" / "data-0_p0.h5").read_text() == "new train_input 0"


def test_files_of_a_publishing_that_was_cut_off_are_still_known_as_ours(tmp_path: Path) -> None:
    job = make_job(tmp_path, shards=3)
    publish(job, stage(job, "old"))
    job = make_job(tmp_path, shards=1)
    metadata = stage(job, "new")
    (Path(job.staging) / "eval_input" / "data-0_p0.h5").unlink()
    with pytest.raises(SteelbeamError):
        publish(job, metadata)
    present = [path for path in tree(tmp_path) if path.endswith(".h5") and not path.startswith(".staging")]
    assert find_existing(str(tmp_path), present).foreign == ()
    publish(job, stage(job, "new"))
    assert sorted(path for path in tree(tmp_path) if path.endswith(".h5")) == [
        "eval_input/data-0_p0.h5",
        "train_input/data-0_p0.h5",
    ]


def test_hdf5_files_that_no_manifest_lists_are_foreign(tmp_path: Path) -> None:
    job = make_job(tmp_path)
    publish(job, stage(job))
    present = ["train_input/data-0_p0.h5", "train_input/data-7_p0.h5", "eval_input/other.h5"]
    assert find_existing(str(tmp_path), present).foreign == ("eval_input/other.h5", "train_input/data-7_p0.h5")
    assert of_naming(present, "data") == ["train_input/data-0_p0.h5", "train_input/data-7_p0.h5"]


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"splits": 3}', '{"splits": {"train_input": {}}}'])
def test_a_manifest_of_somebody_else_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(UsageError, match="is not of a dataset of steelbeam"):
        find_existing(str(tmp_path), [])


def test_replaced_files_are_removed_only_when_the_new_dataset_is_published(tmp_path: Path) -> None:
    stale = tmp_path / "train_input" / "data-9_p0.h5"
    stale.parent.mkdir()
    stale.write_text("of somebody else")
    job = make_job(tmp_path, replaces=("train_input/data-9_p0.h5",))
    metadata = stage(job)
    assert stale.exists()
    publish(job, metadata)
    assert not stale.exists()


def test_a_dataset_with_lost_rows_is_not_published(tmp_path: Path) -> None:
    job = make_job(tmp_path)
    metadata = stage(job)
    with pytest.raises(SteelbeamError, match="1 of 13 rows were lost"):
        check_metadata(job, metadata._replace(rows=metadata.rows._replace(read=13)))


def test_rejected_records_are_shown_up_to_twenty_with_a_count_by_code(tmp_path: Path) -> None:
    job = make_job(tmp_path)
    records = tuple(RejectedRecord("t.csv", line, "a.jpg", 3, f"CODE_{line % 2}", "bad") for line in range(2, 27))
    with pytest.raises(TooManyRejectedError) as caught:
        check_metadata(job, stage(job)._replace(rejected=records))
    lines = str(caught.value).splitlines()
    assert lines[0] == "t.csv:2: a.jpg: bad (CODE_0)"
    assert lines[19].startswith("t.csv:21:")
    assert lines[20] == "… and 5 more"
    assert "25 rejected (13 CODE_0, 12 CODE_1)" in lines[21]
