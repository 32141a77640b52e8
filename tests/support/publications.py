"""Staged shards of a job, ready to be published."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, NamedTuple

from maskmill.names import staged_path
from maskmill.pipeline.dataset.baseline import Baseline
from maskmill.pipeline.dataset.changes import Changes
from maskmill.pipeline.dataset.find_existing import find_existing
from maskmill.pipeline.dataset.publish import check_publishable, publish
from maskmill.pipeline.job.job import Job, JobForm, JobInput, JobOutput, JobSelection
from maskmill.pipeline.job.run import Run
from maskmill.transforms.aggregate_metadata import DatasetMetadata, RowCounts
from maskmill.transforms.assignment.shard_layout import ShardLayout
from maskmill.transforms.assignment.splits import Selection, SplitRule, SplitSize
from maskmill.transforms.examples.label import LabelFormat
from maskmill.transforms.examples.spec import ExampleFormat
from maskmill.transforms.files.checksums import sha256_of
from maskmill.transforms.shards.records import ShardSummary, StoredShard

SPLITS = ("train_input", "eval_input")
NO_CHANGES = Changes({split: {} for split in SPLITS})


class Publication(NamedTuple):
    """What `publish` and `check_publishable` are given, besides the metadata."""

    job: Job
    baseline: Baseline
    run: Run

    def publish(self, metadata: DatasetMetadata, changes: Changes = NO_CHANGES) -> None:
        publish(*self, metadata, changes)

    def check(self, metadata: DatasetMetadata) -> None:
        check_publishable(self.job, self.run, metadata)

    def changed(self, part: str, **changes: Any) -> Publication:
        """The same with changes in a part of the job."""
        changed = dataclasses.replace(getattr(self.job, part), **changes)
        return self._replace(job=dataclasses.replace(self.job, **{part: changed}))


def make_job(root: Path, shards: int = 2, **baseline: Any) -> Publication:
    existing = find_existing(str(root), SPLITS)
    halves = ((0, 0.5), (0.5, 1))
    rules = tuple(SplitRule(split, Selection(0, (3,)), *half) for split, half in zip(SPLITS, halves, strict=True))
    form = ExampleFormat((16, 24), LabelFormat("bce", 2, 16, 24, (3,)))
    job = Job(
        input=JobInput(files=(), sources=(), folders=()),
        selection=JobSelection(rules=rules),
        form=JobForm(
            examples=dict.fromkeys(SPLITS, form),
            classes=("1", "2", "3", "4"),
            data_params={"model": {"loss": "bce"}},
        ),
        output=JobOutput(output_dir="out", root=str(root), layout=ShardLayout("data", shards, 1), key="key"),
    )
    found = {"replaces": tuple(sorted(existing.ours)), "version": existing.version}
    return Publication(job, Baseline(**{**found, **baseline}), Run(id="", started="", runner=""))


def staged(publication: Publication, split: str, number: int, content: str) -> Path:
    return Path(publication.job.output.staging) / staged_path(f"{split}/{file_name(publication, number)}", content)


def file_name(publication: Publication, number: int) -> str:
    return publication.job.output.layout.file_name(number)


def stage(publication: Publication, content: str = "shard") -> DatasetMetadata:
    """Staged shards of a job, and what is known of them."""
    summaries = []
    for split in SPLITS:
        for number in range(publication.job.output.layout.num_shards):
            path = staged(publication, split, number, content)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{content} {split} {number}")
            digest = sha256_of(str(path))
            size = path.stat().st_size
            stored = StoredShard(3, size, digest, content)
            summaries.append(ShardSummary(split, number, file_name(publication, number), 3, 0, {3: 3}, stored))
    examples = 3 * publication.job.output.layout.num_shards
    sizes = {split: SplitSize(examples, 2 * examples) for split in SPLITS}
    rows = RowCounts(read=2 * examples, in_examples=2 * examples, filtered={}, rejected=0, merged=0)
    return DatasetMetadata(tuple(summaries), sizes, rows, (), 0, 0, {})
