"""Staging to dataset: wholly there, or not there at all."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from typing import Any, NamedTuple

import apache_beam as beam

from pipeline.errors import SteelbeamError, TooManyRejectedError, UsageError
from pipeline.job import Job
from pipeline.manifest import manifest, metadata_files, rejected_lines
from transforms.aggregate_metadata import DatasetMetadata, RejectedRecord
from transforms.files import exists, join, make_folder, move, read_bytes, remove, write_whole
from transforms.layout import MANIFEST, REJECTED, STAGING, parse_file_name

OUTCOME = "outcome.json"
# What the files of a dataset are while it has no manifest because one takes the place of another.
JOURNAL = f"{STAGING}/publishing.json"
SHOWN_REJECTED = 20


class Existing(NamedTuple):
    """HDF5 files in the folders of the splits, relative to the dataset: ours, and those of somebody else."""

    ours: frozenset[str]
    foreign: tuple[str, ...]


def files_of_dataset(root: str) -> frozenset[str]:
    """Shards, relative, that a manifest lists or that a publishing which was cut off has left.

    Raises:
        UsageError: there is a manifest.json that steelbeam did not write.
    """
    files: set[str] = set()
    if exists(join(root, MANIFEST)):
        try:
            content = json.loads(read_bytes(join(root, MANIFEST)))
            files |= {shard["file"] for split in content["splits"].values() for shard in split["shards"]}
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            problem = f"{join(root, MANIFEST)} is not of a dataset of steelbeam"
            raise UsageError(f"{problem}; remove it, or choose another --output_dir") from error
    if exists(join(root, JOURNAL)):
        files |= set(json.loads(read_bytes(join(root, JOURNAL))))
    return frozenset(files)


def find_existing(root: str, present: Iterable[str]) -> Existing:
    """Sorts the HDF5 files that are present, relative paths, by whose they are."""
    ours = files_of_dataset(root)
    return Existing(ours, tuple(sorted(path for path in present if path not in ours)))


def of_naming(paths: Iterable[str], name: str) -> list[str]:
    """Those paths whose file names are of a dataset's own naming, `<name>-<i>_p<j>.h5`."""
    parsed = ((path, parse_file_name(path.rsplit("/", 1)[-1])) for path in paths)
    return [path for path, found in parsed if found is not None and found[0] == name]


def check_metadata(job: Job, metadata: DatasetMetadata) -> None:
    """Refuses what must not be published.

    Raises:
        TooManyRejectedError: rows or images are bad.
        SteelbeamError: there is nothing to publish, or rows were lost.
    """
    if metadata.rejected:
        raise TooManyRejectedError(_describe_rejected(job, metadata.rejected))
    for rule in job.rules:
        if not metadata.sizes[rule.name].candidates:
            files = ", ".join(file.path for file in job.files if rule.source in dict(file.uses))
            raise SteelbeamError(
                f"{rule.name}: no row of class {rule.class_id} in {files} has a mask; set class_id to a class that has"
            )
    if metadata.rows.lost:
        raise SteelbeamError(f"{metadata.rows.lost} of {metadata.rows.read} rows were lost; nothing is published")


def _describe_rejected(job: Job, rejected: tuple[RejectedRecord, ...]) -> str:
    shown = [describe_record(record) for record in rejected[:SHOWN_REJECTED]]
    if len(rejected) > len(shown):
        shown.append(f"… and {len(rejected) - len(shown)} more")
    counts = ", ".join(f"{count} {code}" for code, count in Counter(record.code for record in rejected).most_common())
    return (
        "\n".join(shown) + f"\n{len(rejected)} rejected ({counts}); nothing is published."
        f" The whole list: {join(job.staging, REJECTED)}"
    )


def describe_record(record: RejectedRecord) -> str:
    """A rejected record on one line."""
    place = record.source if record.line is None else f"{record.source}:{record.line}"
    name = f"{record.image_id}: " if record.image_id and record.line is not None else ""
    return f"{place}: {name}{record.message} ({record.code})"


def publish(job: Job, metadata: DatasetMetadata) -> None:
    """Makes the dataset of the staged shards. May be done again, also after it was done in part.

    The old manifest goes first and the new one comes last: who finds one finds all that it lists.

    Raises:
        SteelbeamError: a shard is neither staged nor in its place.
    """
    files = metadata_files(job, metadata)
    content = manifest(job, metadata, files)
    if exists(join(job.root, MANIFEST)) and read_bytes(join(job.root, MANIFEST)) == content:
        remove([join(job.root, STAGING)])
        return
    shards = {f"{shard.split}/{shard.file_name}": shard for shard in metadata.shards}
    old = files_of_dataset(job.root) | set(job.replaces)
    write_whole(join(job.root, JOURNAL), json.dumps(sorted({*old, *shards})).encode())
    remove([join(job.root, MANIFEST)])
    for split in job.splits:
        make_folder(join(job.root, split))
    for path, shard in shards.items():
        _move_into_place(join(job.staging, path), join(job.root, path), shard.sha256)
    for name, text in files.items():
        write_whole(join(job.root, name), text)
    remove([join(job.root, path) for path in sorted(old.difference(shards))])
    write_whole(join(job.root, MANIFEST), content)
    remove([join(job.root, STAGING)])


def _move_into_place(staged: str, target: str, sha256: str) -> None:
    if exists(staged):
        move(staged, target)
    elif not exists(target) or hashlib.sha256(read_bytes(target)).hexdigest() != sha256:
        raise SteelbeamError(f"{staged} has vanished before it was published; run the same command again")


class Publish(beam.DoFn):
    """Checks and publishes; what speaks against it is left in the staging folder, for whoever started the run."""

    def __init__(self, job: Job) -> None:
        self.job = job

    def process(self, metadata: DatasetMetadata) -> Iterable[Any]:
        """Yields nothing."""
        try:
            check_metadata(self.job, metadata)
        except SteelbeamError as error:
            make_folder(self.job.staging)
            write_whole(join(self.job.staging, REJECTED), rejected_lines(metadata))
            outcome = {"exit_status": error.exit_status, "message": str(error)}
            write_whole(join(self.job.staging, OUTCOME), json.dumps(outcome).encode())
            raise
        publish(self.job, metadata)
        return ()


@dataclasses.dataclass(kw_only=True, eq=False)
class PublishDataset(beam.PTransform):
    """Makes the dataset of the staged shards, or fails the run and leaves the folder as it was.

    Attributes:
        job: what the run is to do.
    """

    job: Job

    def expand(self, metadata: beam.PCollection[DatasetMetadata]) -> beam.PCollection[None]:
        return metadata | "Publish" >> beam.ParDo(Publish(self.job))
