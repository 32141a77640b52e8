"""Publishes a dataset: moves staged shards into place so that the dataset is whole or absent."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import apache_beam as beam

from maskmill.names import HISTORY, MANIFEST, REJECTED, STAGING, record_path, staged_path
from maskmill.pipeline.dataset.baseline import Baseline
from maskmill.pipeline.dataset.changes import Changes, find_changes
from maskmill.pipeline.dataset.dataset_facts import facts_of, read_previous
from maskmill.pipeline.dataset.failure import leave_failure
from maskmill.pipeline.dataset.find_existing import version_of
from maskmill.pipeline.dataset.gates import check_gates
from maskmill.pipeline.dataset.history import extended_history, history_problems
from maskmill.pipeline.dataset.journal import Journal, read_journal, write_journal
from maskmill.pipeline.dataset.manifest import manifest, metadata_files, rejected_lines
from maskmill.pipeline.dataset.misnamed import describe_misnamed
from maskmill.pipeline.dataset.reuse import announce_latest
from maskmill.pipeline.dataset.run_lock import check_not_superseded
from maskmill.pipeline.errors import MaskmillError, TooManyRejectedError
from maskmill.pipeline.job.job import Job
from maskmill.pipeline.job.run import Run
from maskmill.pipeline.messages.quantities import count
from maskmill.pipeline.messages.summary import classes_with_rows
from maskmill.transforms.aggregate_metadata import DatasetMetadata
from maskmill.transforms.assignment.splits import SplitRule
from maskmill.transforms.files.checksums import sha256_of
from maskmill.transforms.files.find_files import exists
from maskmill.transforms.files.paths import join
from maskmill.transforms.files.read_write import (
    make_folder,
    move_all,
    read_bytes_if_there,
    remove,
    remove_files,
    sync,
    write_whole,
)
from maskmill.transforms.rejected import RejectedRecord
from maskmill.transforms.shards.records import WRITTEN, StoredShard
from maskmill.transforms.shards.staging import list_staged
from maskmill.transforms.text import printable

SHOWN_REJECTED = 20


def check_publishable(job: Job, run: Run, metadata: DatasetMetadata) -> None:
    """Refuses to publish what must not be published.

    Raises:
        TooManyRejectedError: more rows and images are bad than the job allows.
        MaskmillError: a split has no candidates, or rows were lost.
    """
    counted = job.input.counted(metadata.rows.read, metadata.images)
    if not run.max_rejected.allows(len(metadata.rejected), counted):
        codes = dict(Counter(record.code for record in metadata.rejected).most_common())
        raise TooManyRejectedError(_describe_rejected(job, run, metadata), codes)
    for rule in job.selection.rules:
        if not metadata.sizes[rule.name].candidates:
            raise MaskmillError(f"{rule.name}: {_describe_empty(job, rule, metadata)}")
    if metadata.rows.lost:
        raise MaskmillError(f"{metadata.rows.lost} of {metadata.rows.read} rows were lost; nothing is published")


def _describe_empty(job: Job, rule: SplitRule, metadata: DatasetMetadata) -> str:
    """Says why there is no example that a split could take."""
    causes: dict[str, object] = {
        f"the transform, {job.selection.transform}": job.selection.transform,
        "maskmill.exclude": job.input.excluded,
        "maskmill.duplicates: drop": job.selection.duplicates == "drop",
        "maskmill.crops.empty": job.form.crops is not None and job.form.crops.empty < 1,
    }
    if not any(causes.values()) and job.input.splits_file:
        return (
            f"none of the images that {job.input.splits_file} puts there becomes an example: no such file is in the "
            "image folder, or no row with a mask names it; correct the file, or set maskmill.negatives"
        )
    causes["maskmill.splits_file"] = job.input.splits_file
    if found := " and ".join(cause for cause, applies in causes.items() if applies):
        return f"no example is left after {found}; some have to be kept, or class_id names a class without a mask"
    if not job.input.files:
        return f"none of {count(metadata.images, 'image')} becomes an example; raise the share of maskmill.negatives"
    source, class_ids, _ = rule.selection
    files = ", ".join(file.path for file in job.input.files if source in dict(file.sources))
    names = " or ".join(job.form.classes[class_id - 1] for class_id in class_ids)
    there = classes_with_rows(metadata.rows.to_json(job.form.classes)["classes"])
    return f"no row of class {names} in {files} has a mask; set class_id to a class that has; {there}"


def _describe_rejected(job: Job, run: Run, metadata: DatasetMetadata) -> str:
    rejected = metadata.rejected
    others = [record for record in rejected if record not in metadata.misnamed]
    shown = describe_misnamed(job, metadata) + [describe_record(record) for record in others[:SHOWN_REJECTED]]
    if len(others) > SHOWN_REJECTED:
        shown.append(f"… and {len(others) - SHOWN_REJECTED} more")
    counts = ", ".join(f"{count} {code}" for code, count in Counter(record.code for record in rejected).most_common())
    total = f"{len(rejected)} rejected ({counts}), at most {run.max_rejected} allowed (--max_rejected)"
    return "\n".join([*shown, f"{total}; nothing is published. The whole list: {join(job.output.staging, REJECTED)}"])


def describe_record(record: RejectedRecord) -> str:
    """Writes a rejected record on one line."""
    place = record.source if record.line is None else f"{record.source}:{record.line}"
    name = f"{record.image_id}: " if record.image_id and record.line is not None else ""
    return printable(f"{place}: {name}{record.message} ({record.code})")


def publish(job: Job, baseline: Baseline, run: Run, metadata: DatasetMetadata, changes: Changes) -> None:
    """Moves the shards into place and writes the files beside them. May be repeated, even after it was done in part.

    The old manifest is removed first and the new one written last: if a manifest exists, every file it lists exists.

    Raises:
        MaskmillError: a shard is neither staged nor in its place, or another run has begun or published meanwhile.
    """
    check_not_superseded(job.output.root, job.output.output_dir, run.id)
    files = metadata_files(job, metadata)
    content = manifest(job, metadata, files)
    if not _is_published(job, baseline, metadata, {**files, MANIFEST: content}):
        shards = {shard.path: shard.stored for shard in metadata.shards}
        earlier = read_journal(job.output.root)
        if earlier and earlier.changes and earlier.shards == shards:
            changes = Changes(**earlier.changes)  # the previous dataset may be gone already
        files_meanwhile = tuple(sorted({*baseline.replaces, *shards}))
        journal = Journal(files_meanwhile, job.output.key, shards, changes._asdict())
        _check_not_replaced(job, baseline, content, resumed=earlier == journal)
        moves = _plan_moves(job, {path: one for path, one in shards.items() if not _is_kept(baseline, path, one)})
        _begin(job, journal)
        remove_files([join(job.output.root, MANIFEST)])
        _settle(job)
        _move_into_place(moves)
        for name, text in files.items():
            _put_in_place(job, name, text)
        remove_files([join(job.output.root, path) for path in sorted(set(baseline.replaces).difference(shards))])
        _put_in_place(job, HISTORY, extended_history(job, run, metadata, changes))
        _settle(job)
        _put_in_place(job, MANIFEST, content)
        _settle(job)
    remove([join(job.output.root, STAGING)])


def _is_published(job: Job, baseline: Baseline, metadata: DatasetMetadata, files: Mapping[str, bytes]) -> bool:
    kept = all(_is_kept(baseline, shard.path, shard.stored) for shard in metadata.shards)
    same = kept and all(read_bytes_if_there(join(job.output.root, name)) == text for name, text in files.items())
    return same and not history_problems(job.output.root)


def _is_kept(baseline: Baseline, path: str, stored: StoredShard) -> bool:
    return baseline.published.get(path) == stored


def _check_not_replaced(job: Job, baseline: Baseline, manifest: bytes, *, resumed: bool) -> None:
    """Refuses if the dataset has changed since the run began, except by an earlier attempt of the same publishing."""
    version = version_of(read_bytes_if_there(join(job.output.root, MANIFEST)))
    if version in (baseline.version, version_of(manifest)):
        return
    if version or not resumed:
        raise MaskmillError(f"the dataset in {job.output.output_dir} has changed since this run began; run it again")


def _begin(job: Job, journal: Journal) -> None:
    write_journal(job.output.root, journal)
    for split in job.splits:
        make_folder(join(job.output.root, split))
    _settle(job)


def _plan_moves(job: Job, shards: Mapping[str, StoredShard]) -> list[tuple[str, str]]:
    """Pairs staged shards with their places; one that is no longer staged was moved by an earlier attempt.

    Raises:
        MaskmillError: a shard is neither staged nor in its place; nothing was changed yet.
    """
    staged = list_staged(job.output.staging, job.splits)
    moves = []
    for path, stored in shards.items():
        source, target = join(job.output.staging, staged_path(path, stored.fingerprint)), join(job.output.root, path)
        if staged_path(path, stored.fingerprint) in staged:
            moves.append((source, target))
        elif not exists(target) or sha256_of(target) != stored.sha256:
            raise MaskmillError(f"{source} has vanished before it was published; run the same command again")
    return moves


def _move_into_place(moves: Sequence[tuple[str, str]]) -> None:
    for source, _ in moves:
        sync(source)
    move_all(moves)


def _put_in_place(job: Job, name: str, text: bytes) -> None:
    write_whole(join(job.output.root, name), text, attempts=job.output.staging)


def _settle(job: Job) -> None:
    """Syncs the folders of the dataset, so that no power failure brings back an older state."""
    for folder in ("", STAGING, *job.splits):
        sync(join(job.output.root, folder))


def _remove_superseded(job: Job, metadata: DatasetMetadata) -> None:
    """Removes staged shards that no dataset of this input has: each failed night would leave more of them."""
    ours = {staged_path(shard.path, shard.stored.fingerprint) for shard in metadata.shards}
    superseded = list_staged(job.output.staging, job.splits).difference(ours, map(record_path, ours))
    remove_files([join(job.output.staging, path) for path in sorted(superseded)])


class Publish(beam.DoFn):
    """Checks and publishes. What forbids it is left in the staging folder, for the program that waits for the run.

    If no program waits, the step fails. Otherwise it does not: the runner would only try again.
    """

    def __init__(self, job: Job, baseline: Baseline, run: Run) -> None:
        self.job = job
        self.baseline = baseline
        self.run = run

    def process(self, metadata: DatasetMetadata) -> Iterable[Any]:
        """Yields nothing.

        Raises:
            MaskmillError: nothing can be published, and no program waits to be told.
        """
        staging = self.job.output.staging
        old, new = read_previous(self.baseline.previous), facts_of(self.job, metadata)
        changes = find_changes(old, new, [shard.path for shard in metadata.shards if shard.state == WRITTEN])
        try:
            check_publishable(self.job, self.run, metadata)
            check_gates(self.run, old, new, changes)
        except MaskmillError as error:
            make_folder(staging)
            write_whole(join(staging, REJECTED), rejected_lines(metadata))
            leave_failure(self.job, error)
            _remove_superseded(self.job, metadata)
            if not self.run.attended:
                raise
        else:
            publish(self.job, self.baseline, self.run, metadata, changes)
            # The program that started the run does so, too, but may have ended.
            if self.baseline.reuse:
                announce_latest(self.baseline.reuse, self.job.output.root)
        return ()


@dataclasses.dataclass(kw_only=True, eq=False)
class PublishDataset(beam.PTransform):
    """Makes the dataset of the staged shards, or fails the run and leaves the folder as it was.

    Attributes:
        job: what is to be made.
        baseline: what the run started from.
        run: the execution that publishes.
    """

    job: Job
    baseline: Baseline
    run: Run

    def expand(self, metadata: beam.PCollection[DatasetMetadata]) -> beam.PCollection[None]:
        return metadata | "Publish" >> beam.ParDo(Publish(self.job, self.baseline, self.run))
