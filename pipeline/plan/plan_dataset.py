"""Plans a run: runs the graph without decoding an image, and without changing anything."""

from __future__ import annotations

import dataclasses
import os
import pickle
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions

from maskmill.pipeline.arguments.create_arguments import CreateArguments
from maskmill.pipeline.dataset.baseline import Baseline, find_baseline, find_reuse
from maskmill.pipeline.dataset.changes import find_changes
from maskmill.pipeline.dataset.dataset_facts import facts_of, read_previous
from maskmill.pipeline.dataset.gates import find_problems
from maskmill.pipeline.dataset.misnamed import describe_misnamed
from maskmill.pipeline.dataset.verify_kept import verify_kept
from maskmill.pipeline.errors import MaskmillError, last_line
from maskmill.pipeline.graph import build_plan
from maskmill.pipeline.job.job import Job
from maskmill.pipeline.job.read_job import read_job
from maskmill.pipeline.job.run import Run
from maskmill.pipeline.messages.describe_changes import warn_of_moves
from maskmill.pipeline.messages.plan import STAGED, WRITE, Plan, PlannedSplit
from maskmill.pipeline.messages.result import rows_of
from maskmill.pipeline.messages.run_log import RunLog
from maskmill.pipeline.messages.summary import warn_of_classes, warn_of_different_masks, warn_of_empty_shards
from maskmill.pipeline.runners.interruptible import interruptible
from maskmill.pipeline.runners.make_runner import DEFAULT_RUNNER
from maskmill.pipeline.runners.new_pipeline import new_pipeline
from maskmill.pipeline.runners.runner_job import RunnerJob
from maskmill.transforms.aggregate_metadata import DatasetMetadata
from maskmill.transforms.parallel.look_ahead import usable_cores
from maskmill.transforms.shards.records import KEPT, REUSED, ShardSummary
from maskmill.transforms.sink.plan_shards import is_planned

# Options for the number of processes that write shards, on runners that have one.
_WORKER_OPTIONS = ("direct_num_workers", "parallelism", "max_num_workers", "num_workers")


def plan_dataset(arguments: CreateArguments, log: RunLog) -> Plan:
    """Plans a run in this process, whatever runner it is meant for.

    Args:
        arguments: of `maskmill create`.
        log: takes warnings, and the progress of `--verify`.

    Raises:
        UsageError: arguments, parameter file or input are wrong.
        MaskmillError: the input cannot be read to its end.
    """
    job = read_job(arguments)
    run = Run(
        id="",
        started="",
        runner=DEFAULT_RUNNER,
        workers=arguments.workers,
        max_rejected=arguments.max_rejected,
        min_examples=arguments.min_examples,
        max_change=arguments.max_change,
    )
    with (
        tempfile.TemporaryDirectory(prefix="maskmill-plan-") as folder,
        new_pipeline((*arguments.beam_options, f"--runner={DEFAULT_RUNNER}")) as pipeline,
    ):
        baseline = find_baseline(job, arguments, find_reuse(arguments))
        for warning in baseline.warnings:
            log.tell("warning", warning)
        if arguments.verify:
            baseline = verify_kept(arguments, job, baseline, log, dry_run=True)
        path = os.path.join(folder, "metadata")
        try:
            with interruptible():
                build_plan(pipeline, job, baseline, run, "Keep" >> beam.Map(_keep, path), arguments.transform)
                RunnerJob(pipeline, log.err).run()
        except MaskmillError:
            raise
        except Exception as error:
            raise MaskmillError(f"the input cannot be read to its end: {last_line(error)}") from error
        with open(path, "rb") as file:
            metadata: DatasetMetadata = pickle.load(file)  # noqa: S301 - written by this job
    plan = _plan_of(metadata, job, baseline, run, _workers_of(arguments.beam_options))
    sizes = {name: (split.examples, sum(split.shards.values())) for name, split in plan.splits.items()}
    for warning in (
        *warn_of_classes(plan.rows, job.form.chosen),
        *warn_of_empty_shards(sizes),
        *warn_of_different_masks(metadata.notes, metadata.pairs),
        *warn_of_moves(plan.changes, job.selection.assignment),
    ):
        log.tell("warning", warning)
    return dataclasses.replace(plan, warnings=tuple(log.warnings))


def _keep(metadata: DatasetMetadata, path: str) -> None:
    with open(path, "wb") as file:
        pickle.dump(metadata, file)


def _plan_of(metadata: DatasetMetadata, job: Job, baseline: Baseline, run: Run, workers: int) -> Plan:
    codes = Counter(record.code for record in metadata.rejected)
    old, new = read_previous(baseline.previous), facts_of(job, metadata)
    changes = find_changes(old, new, [shard.path for shard in metadata.shards if is_planned(shard)])
    splits = {
        split: _split((one for one in metadata.shards if one.split == split), entry, changes.reasons[split])
        for split, entry in new.splits.items()
    }
    return Plan(
        path=job.output.output_dir,
        rows=rows_of(metadata.rows.to_json(job.form.classes)),
        images=metadata.images,
        rejected=dict(sorted(codes.items())),
        misnamed=tuple(describe_misnamed(job, metadata)),
        allowed=run.max_rejected.allows(len(metadata.rejected), job.input.counted(metadata.rows.read, metadata.images)),
        shared_images=metadata.shared_images,
        notes=dict(metadata.notes),
        splits=splits,
        changes=changes.examples,
        held_back=tuple(find_problems(run, old, new)),
        removed_shards=len(set(baseline.replaces).difference(shard.path for shard in metadata.shards)),
        workers=workers,
        chosen=job.form.chosen,
        max_rejected=str(run.max_rejected),
    )


def _split(summaries: Iterable[ShardSummary], entry: Mapping[str, Any], reasons: Mapping[str, int]) -> PlannedSplit:
    shards = list(summaries)
    return PlannedSplit(
        examples=entry["examples"],
        classes=entry["classes"],
        negatives=entry["negatives"],
        bytes=entry["bytes"],
        bytes_to_write=sum(shard.stored.bytes for shard in shards if is_planned(shard)),
        shards={name: [_action(shard) for shard in shards].count(name) for name in (WRITE, STAGED, KEPT, REUSED)},
        reasons=reasons,
        images=entry.get("images"),
    )


def _action(shard: ShardSummary) -> str:
    if is_planned(shard):
        return WRITE
    return shard.state if shard.state in (KEPT, REUSED) else STAGED


def _workers_of(beam_options: Iterable[str]) -> int:
    given = PipelineOptions([*beam_options]).get_all_options()
    if given.get("direct_num_workers") == 0:
        given["direct_num_workers"] = usable_cores()
    return max([1, *(int(given[name]) for name in _WORKER_OPTIONS if given.get(name))])
