"""Reads what a run would keep, copy or resume, and takes what is damaged out of its baseline (`create --verify`)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from maskmill.completeness import find_incomplete
from maskmill.manifest import unseal
from maskmill.names import MANIFEST, record_path
from maskmill.pipeline.dataset.baseline import Baseline
from maskmill.pipeline.dataset.find_existing import shards_of
from maskmill.pipeline.dataset.history import history_problems
from maskmill.pipeline.dataset.list_files import list_sizes, list_split_sizes
from maskmill.pipeline.job.job import Job
from maskmill.transforms.files.checksums import sha256_of
from maskmill.transforms.files.paths import join
from maskmill.transforms.files.read_write import read_bytes_if_there, remove
from maskmill.transforms.parallel.look_ahead import map_ahead, shared_pool
from maskmill.transforms.parallel.progress import Progress
from maskmill.transforms.shards.staging import list_records

_AHEAD_PER_WORKER = 2


class WrittenFile(NamedTuple):
    """A file that an earlier run wrote.

    Attributes:
        path: of the file.
        shown: its path in messages.
        bytes: its size.
        sha256: that it had when it was written, hexadecimal.
    """

    path: str
    shown: str
    bytes: int
    sha256: str


class Kept(NamedTuple):
    """What was read, and what is wrong with it.

    Attributes:
        files: number of files that were read.
        bytes: their size.
        problems: "<file>: what is wrong with it; what the run does about it"; none if every file is whole.
    """

    files: int
    bytes: int
    problems: tuple[str, ...]


class _Reader:
    """Reads files, several at a time, and counts them."""

    def __init__(self, workers: int, progress: Progress) -> None:
        self._workers = workers
        self._progress = progress
        self.files = 0
        self.bytes = 0

    def find_damaged(self, files: Iterable[WrittenFile]) -> dict[str, str]:
        """Returns what is wrong with files whose content is not what was written, by `shown`."""
        files = list(files)
        self.files += len(files)
        self.bytes += sum(file.bytes for file in files)
        self._progress.expect(self.bytes)
        window = self._workers * _AHEAD_PER_WORKER
        problems = map_ahead(self._check, files, shared_pool(self._workers, "verify"), window)
        return {file.shown: problem for file, problem in zip(files, problems, strict=True) if problem}

    def _check(self, file: WrittenFile) -> str:
        try:
            found = sha256_of(file.path, self._progress.add)
        except OSError as error:
            return f"cannot be read ({error})"
        return "" if found == file.sha256 else "its content has changed"


def check_kept(
    job: Job, baseline: Baseline, *, workers: int, progress: Progress, dry_run: bool = False
) -> tuple[Baseline, Kept]:
    """Reads every file of the dataset in the output folder, the staged shards, and those that may be copied.

    Args:
        job: what is to be made.
        baseline: what the run starts from.
        workers: number of threads.
        progress: counts the bytes that are read.
        dry_run: leaves damaged shards in the staging folder, from which they are removed otherwise.

    Returns:
        the baseline without damaged shards, and what was found.

    Raises:
        OSError: a folder cannot be listed.
    """
    root, reader = job.output.root, _Reader(workers, progress)
    manifest = _read_manifest(root)
    sizes = _list_sizes(root, manifest) if manifest else {}
    damaged = _find_incomplete(manifest, sizes)
    damaged |= reader.find_damaged([*_files_beside(root, manifest, sizes), *_published(root, baseline)])
    history = history_problems(root) if manifest else []
    published = {path: stored for path, stored in baseline.published.items() if path not in damaged}
    staged = _check_staged(job, reader, dry_run=dry_run)
    fingerprints = {stored.fingerprint for stored in published.values()}
    copies = {key: one for key, one in baseline.reusable.items() if key not in fingerprints}
    unusable = reader.find_damaged(
        WrittenFile(one.path, one.path, one.stored.bytes, one.stored.sha256) for one in copies.values()
    )
    reusable = {key: one for key, one in baseline.reusable.items() if one.path not in unusable}
    problems = (
        *(f"{path}: {problem}; it is written again" for path, problem in damaged.items()),
        *(f"{problem}; it is written again, without damaged lines" for problem in history),
        *(f"{path}: {problem}; it is written again" for path, problem in staged.items()),
        *(f"{path}: {problem}; it is not copied" for path, problem in unusable.items()),
    )
    up_to_date = baseline.up_to_date and not damaged and not history
    left = baseline._replace(published=published, reusable=reusable, up_to_date=up_to_date)
    return left, Kept(reader.files, reader.bytes, problems)


def _read_manifest(root: str) -> Mapping[str, Any]:
    """Content of manifest.json; empty if there is none, or if it was changed: then every shard is written anyway."""
    try:
        return unseal(read_bytes_if_there(join(root, MANIFEST)) or b"")
    except ValueError:
        return {}


def _list_sizes(root: str, manifest: Mapping[str, Any]) -> Mapping[str, int]:
    in_splits, _ = list_split_sizes(root, manifest["splits"])
    return {**list_sizes(root), **in_splits}


def _find_incomplete(manifest: Mapping[str, Any], sizes: Mapping[str, int]) -> dict[str, str]:
    """Returns what is wrong with listed files that are missing or have the wrong size, by path."""
    listed = {name: entry["bytes"] for name, entry in manifest.get("files", {}).items()}
    listed |= {shard["file"]: shard["bytes"] for shard in shards_of(manifest)} if manifest else {}
    return dict(find_incomplete(listed, sizes))


def _files_beside(root: str, manifest: Mapping[str, Any], sizes: Mapping[str, int]) -> Iterator[WrittenFile]:
    """Yields the files beside the shards that are there with the right sizes."""
    for name, entry in manifest.get("files", {}).items():
        if sizes.get(name) == entry["bytes"]:
            yield WrittenFile(join(root, name), name, entry["bytes"], entry["sha256"])


def _published(root: str, baseline: Baseline) -> Iterator[WrittenFile]:
    for path, stored in baseline.published.items():
        yield WrittenFile(join(root, path), path, stored.bytes, stored.sha256)


def _check_staged(job: Job, reader: _Reader, *, dry_run: bool) -> dict[str, str]:
    staging = job.output.staging
    records = list_records(staging, job.splits)
    damaged = {path: "its record is damaged" for path, stored in records.items() if stored is None}
    damaged |= reader.find_damaged(
        WrittenFile(path, path, stored.bytes, stored.sha256) for path, stored in records.items() if stored
    )
    if not dry_run:
        remove(file for path in damaged for file in (record_path(path), path))
    return damaged
