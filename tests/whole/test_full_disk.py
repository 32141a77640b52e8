"""A disk that is really full: a message, the dataset of before as it was, and the same command goes on with more space.

Two ways to fill it: a small file system in memory, which takes root to mount, and a limit on the size of files, which
every user can set. The runs are processes of their own, so that one that crashes is seen.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from maskmill.pipeline.cli import main
from tests.support.builders import write_dataset, write_params
from tests.support.command import ROOT, tree, write_tree

PAGE = os.sysconf("SC_PAGE_SIZE")
DISK_BYTES = 2 * 2**20
ROWS = [f"{index:02}.jpg,3,{1 + index} 2" for index in range(16)]
NEW = {"image_shape": [100, 120, 1], "max_image_shape": [100, 120]}
OLD = {"image_shape": [8, 12, 1]}
SHARDS = 4


class Datasets(NamedTuple):
    """The command of the new dataset, what it leaves, and the older dataset that it may find."""

    arguments: tuple[str, ...]
    new: dict[str, bytes]
    old: dict[str, bytes]

    @property
    def shard(self) -> int:
        """Pages of a new shard."""
        return pages(self.new, ".h5") // SHARDS


@pytest.fixture(scope="module", name="datasets")
def make_datasets(tmp_path_factory: pytest.TempPathFactory) -> Datasets:
    folder = tmp_path_factory.mktemp("datasets")
    data = write_dataset(folder / "data", ROWS)
    old, new = write_params(folder / "old.yaml", data, **OLD), write_params(folder / "new.yaml", data, **NEW)
    for name, params in (("old", old), ("new", new)):
        (folder / name).mkdir()
        create_in(folder / name, arguments_of(params))
    return Datasets(arguments_of(new), tree(folder / "new" / "out"), tree(folder / "old" / "out"))


def arguments_of(params: Path) -> tuple[str, ...]:
    return ("create", "--params", str(params), "--output_dir", "out", "--num_output_files=2", "--workers=1", "--quiet")


def create_in(folder: Path, arguments: tuple[str, ...]) -> None:
    """Runs the command in this process, where it has to succeed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert main(arguments) == 0


@pytest.fixture(name="disk")
def mount_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "maskmill-test", str(folder)]
    try:
        done = subprocess.run(mount, capture_output=True, text=True, check=False)
    except OSError as error:
        pytest.skip(f"there is no mount: {error}; a limit on the size of files takes its place")
    if done.returncode != 0:
        pytest.skip(
            f"no file system can be mounted: {done.stderr.strip()}; a limit on the size of files takes its place"
        )
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def run(folder: Path, datasets: Datasets, limit: int = resource.RLIM_INFINITY) -> subprocess.CompletedProcess[str]:
    """Runs the command for the new dataset in a process of its own.

    Args:
        folder: in which the folder `out` is.
        datasets: that are made.
        limit: size in bytes that no file of the process may exceed.
    """
    return subprocess.run(
        [sys.executable, "-m", "maskmill", *datasets.arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def check_message(done: subprocess.CompletedProcess[str], *words: str) -> None:
    """A crash has a negative exit status."""
    assert done.returncode == 1, f"exit status {done.returncode}\n{done.stderr}"
    assert [one for one in words if one not in done.stderr] == [], done.stderr
    assert "Traceback" not in done.stderr


def without_staging(output: Path) -> dict[str, bytes]:
    return {name: text for name, text in tree(output).items() if not name.startswith((".staging/", ".lock"))}


def pages(files: dict[str, bytes], end: str) -> int:
    """What files of an ending take of a disk."""
    return sum(-(-len(text) // PAGE) for name, text in files.items() if name.endswith(end))


def leave_free(disk: Path, free: int) -> Path:
    """Takes the rest of the disk."""
    ballast = disk / "ballast"
    ballast.write_bytes(bytes((os.statvfs(disk).f_bavail - free) * PAGE))
    return ballast


# What is free when the run begins, by the pages of a shard, and what the message says of the moment; the lock takes a
# page, and so does the record of a shard.
MOMENTS = {
    "the lock": (lambda shard: 0, "out: cannot be written to"),
    "the middle of a shard": (lambda shard: 1 + shard // 2, "shard.h5'"),
    "the end of a shard": (lambda shard: shard, "shard.h5'"),
    # Or, where that is faster, the shard that is begun meanwhile.
    "the record of a shard": (lambda shard: 1 + shard, ".h5"),
    "the journal of the publishing": (lambda shard: 1 + SHARDS * (shard + 1), "4 of 4 shards are finished"),
}


@pytest.mark.parametrize(
    "moment", [pytest.param(one, marks=[] if one == "the middle of a shard" else pytest.mark.slow) for one in MOMENTS]
)
def test_a_disk_that_is_full_before_the_publishing_leaves_the_dataset_of_before(
    disk: Path, datasets: Datasets, moment: str
) -> None:
    write_tree(disk / "out", datasets.old)
    free, words = MOMENTS[moment]
    ballast = leave_free(disk, free(datasets.shard))
    check_message(run(disk, datasets), "No space left on device", words)
    assert without_staging(disk / "out") == datasets.old
    ballast.unlink()
    create_in(disk, datasets.arguments)
    assert tree(disk / "out") == datasets.new


@pytest.mark.parametrize(
    ("blocks", "name"),
    [
        pytest.param(0, "meta_train_input.dat'", marks=pytest.mark.slow),
        (5, "croissant.json'"),
        pytest.param(9, "history.jsonl'", marks=pytest.mark.slow),
        (10, "manifest.json'"),
    ],
)
def test_a_disk_that_is_full_while_publishing_leaves_no_manifest(
    disk: Path, datasets: Datasets, blocks: int, name: str
) -> None:
    # The lock, the shards and their records, the journal, and some of the files beside the shards, of which
    # croissant.json takes several blocks.
    ballast = leave_free(disk, 1 + SHARDS * (datasets.shard + 1) + 1 + blocks)
    check_message(run(disk, datasets), "No space left on device", name, "in the middle of publishing")
    assert "manifest.json" not in tree(disk / "out")
    ballast.unlink()
    create_in(disk, datasets.arguments)
    assert tree(disk / "out") == datasets.new


@pytest.mark.parametrize("share", [0.5, *(pytest.param(one, marks=pytest.mark.slow) for one in (0.02, 0.9999))])
def test_a_shard_that_cannot_grow_leaves_the_dataset_of_before(
    tmp_path: Path, datasets: Datasets, share: float
) -> None:
    write_tree(tmp_path / "out", datasets.old)
    size = min(len(text) for name, text in datasets.new.items() if name.endswith(".h5"))
    check_message(run(tmp_path, datasets, int(size * share)), "File too large")
    assert without_staging(tmp_path / "out") == datasets.old
    create_in(tmp_path, datasets.arguments)
    assert tree(tmp_path / "out") == datasets.new
