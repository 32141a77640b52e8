"""What `create --verify` reads, and what is taken out of the baseline."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from maskmill.pipeline.dataset.baseline import Baseline, find_baseline, find_reuse
from maskmill.pipeline.dataset.check_kept import Kept, check_kept
from maskmill.pipeline.job.read_job import read_job
from maskmill.transforms.parallel.progress import Progress
from tests.pipeline.job.test_read_job import arguments
from tests.support.datasets import SHARD, make_dataset, refuse_to_open

FLAGS = ("--num_output_files=4", "--num_processes=2", "--max_rejected=1")


@pytest.fixture(name="folder", scope="module")
def make_whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with data, params.yaml, and the dataset that was made of them."""
    folder = tmp_path_factory.mktemp("check")
    make_dataset(folder)
    return folder


def check(folder: Path, output: Path, *flags: str, dry_run: bool = False) -> tuple[Baseline, Baseline, Kept]:
    """Baseline before and after, and what was found."""
    given = arguments(folder / "params.yaml", output, *FLAGS, *flags)
    job = read_job(given)
    before = find_baseline(job, given, find_reuse(given))
    progress = Progress()
    after, kept = check_kept(job, before, workers=2, progress=progress, dry_run=dry_run)
    assert progress.done == progress.expected == kept.bytes
    return before, after, kept


def test_a_whole_dataset_is_read_and_stays_as_it_is(folder: Path) -> None:
    before, after, kept = check(folder, folder / "out")
    assert after == before
    assert after.up_to_date
    size = sum(path.stat().st_size for path in (folder / "out").glob("*_input/*.h5"))
    lists = ("examples.csv", "meta_train_input.dat", "meta_eval_input.dat", "rejected.jsonl")
    beside = ("croissant.json", "data_params.json", *lists)
    size += sum((folder / "out" / name).stat().st_size for name in beside)
    assert kept == Kept(14, size, ())


def test_nothing_is_read_where_nothing_is(folder: Path, tmp_path: Path) -> None:
    assert check(folder, tmp_path / "new")[1:] == (Baseline(), Kept(0, 0, ()))


def test_a_damaged_shard_is_not_kept_and_still_replaced(folder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(folder / "out", tmp_path / "out")
    (copy / SHARD).write_bytes(bytes((copy / SHARD).stat().st_size))
    before, after, kept = check(folder, copy)
    assert kept.problems == (f"{SHARD}: its content has changed; it is written again",)
    assert set(before.published) - set(after.published) == {SHARD}
    assert SHARD in after.replaces
    assert not after.up_to_date


def test_a_shard_that_cannot_be_read_is_written_again(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = shutil.copytree(folder / "out", tmp_path / "out")
    refuse_to_open(monkeypatch, SHARD)
    given = arguments(folder / "params.yaml", copy, *FLAGS)
    job = read_job(given)
    before = find_baseline(job, given, find_reuse(given))
    after, kept = check_kept(job, before, workers=2, progress=Progress())
    assert len(kept.problems) == 1
    assert kept.problems[0].startswith(f"{SHARD}: cannot be read ([Errno 13] Permission denied")
    assert SHARD not in after.published


def test_of_an_earlier_dataset_only_what_may_be_copied_is_read(folder: Path, tmp_path: Path) -> None:
    day = shutil.copytree(folder / "out", tmp_path / "day")
    (day / SHARD).write_bytes(bytes((day / SHARD).stat().st_size))
    before, after, kept = check(folder, folder / "out", f"--reuse={day}")
    assert (kept.files, kept.problems) == (14, ())
    assert after.reusable == before.reusable
    before, after, kept = check(folder, tmp_path / "new", f"--reuse={day}")
    assert (kept.files, kept.problems) == (8, (f"{day / SHARD}: its content has changed; it is not copied",))
    assert len(after.reusable) == len(before.reusable) - 1


@pytest.mark.parametrize("dry_run", [True, False])
def test_a_damaged_staged_shard_goes_unless_it_is_a_dry_run(folder: Path, tmp_path: Path, dry_run: bool) -> None:
    given = arguments(folder / "params.yaml", tmp_path / "new", *FLAGS)
    staged = Path(read_job(given).output.staging) / "train_input" / "0123-preprocessed_data-0_p0.h5"
    staged.parent.mkdir(parents=True)
    staged.write_bytes(b"damaged")
    record = staged.with_name(f"{staged.name}.json")
    record.write_text('{"examples": 1, "bytes": 7, "sha256": "0", "fingerprint": "0"}')
    _, after, kept = check(folder, tmp_path / "new", dry_run=dry_run)
    assert kept == Kept(1, 7, (f"{staged}: its content has changed; it is written again",))
    assert staged.exists() == record.exists() == dry_run
    assert after == Baseline()
