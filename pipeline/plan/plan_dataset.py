"""Plans a run: runs the graph without decoding an image, and without changing anything."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, TextIO

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
from maskmill.pipeline.messages.describe_changes import describe_changes, describe_reasons, warn_of_moves
from maskmill.pipeline.messages.quantities import count, format_bytes
from maskmill.pipeline.messages.run_log import RunLog
from maskmill.pipeline.messages.summary import (
    describe_classes,
    describe_examples,
    describe_notes,
    warn_of_classes,
    warn_of_empty_shards,
)
from maskmill.pipeline.runners.make_runner import DEFAULT_RUNNER
from maskmill.pipeline.runners.new_pipeline import new_pipeline
from maskmill.pipeline.runners.runner_job import RunnerJob
from maskmill.transforms.aggregate_metadata import DatasetMetadata
from maskmill.transforms.parallel.look_ahead import usable_cores
from maskmill.transforms.shards.records import KEPT, REUSED, ShardSummary
from maskmill.transforms.sink.plan_shards import is_planned

# What a run would do for a shard besides keeping or reusing it: write it, or find it staged.
WRITE, STAGED = "write", "staged"
# Options for the number of processes that write shards, on runners that have one.
_WORKER_OPTIONS = ("direct_num_workers", "parallelism", "max_num_workers", "num_workers")


def plan_dataset(arguments: CreateArguments, out: TextIO, *, as_json: bool) -> None:
    """Plans a run in this process, whatever runner it is meant for.

    Args:
        arguments: of `maskmill create`.
        out: takes the plan.
        as_json: whether the plan is for programs.

    Raises:
        UsageError: arguments, parameter file or input are wrong.
        MaskmillError: the input cannot be read to its end.
    """
    job = read_job(arguments)
    log = RunLog(sys.stderr, as_json)
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
        log = RunLog(sys.stderr, as_json)
        for warning in baseline.warnings:
            log.tell("warning", warning)
        if arguments.verify:
            baseline = verify_kept(arguments, job, baseline, log, dry_run=True)
        report = os.path.join(folder, "plan.json")
        build_plan(pipeline, job, baseline, run, "Report" >> beam.Map(_write_report, job, baseline, run, report))
        try:
            RunnerJob(pipeline, out).run()
        except Exception as error:
            raise MaskmillError(f"the input cannot be read to its end: {last_line(error)}") from error
        with open(report, encoding="utf-8") as file:
            plan = json.load(file)
    sizes = {split: (entry["examples"], sum(entry["shards"].values())) for split, entry in plan["splits"].items()}
    for warning in (
        *warn_of_classes(plan["rows"], job.form.chosen),
        *warn_of_empty_shards(sizes),
        *warn_of_moves(plan["changes"], job.selection.assignment),
    ):
        log.tell("warning", warning)
    plan["workers"] = _workers_of(arguments.beam_options)
    out.write(json.dumps(plan, indent=4) + "\n" if as_json else describe(plan, job, run))


def _write_report(metadata: DatasetMetadata, job: Job, baseline: Baseline, run: Run, path: str) -> None:
    with open(path, "w", encoding="utf-8") as file:
        json.dump(plan_of(metadata, job, baseline, run), file)


def plan_of(metadata: DatasetMetadata, job: Job, baseline: Baseline, run: Run) -> dict[str, Any]:
    """Makes the plan, as programs read it."""
    old, new = read_previous(baseline.previous), facts_of(job, metadata)
    changes = find_changes(old, new, [shard.path for shard in metadata.shards if is_planned(shard)])
    rows = metadata.rows
    codes = Counter(record.code for record in metadata.rejected)
    return {
        "rows": rows.to_json(job.form.classes),
        "images": metadata.images,
        "rejected": dict(sorted(codes.items())),
        "misnamed": describe_misnamed(job, metadata),
        "held_back": list(find_problems(run, old, new)),
        "allowed": run.max_rejected.allows(len(metadata.rejected), rows.read),
        "shared_images": metadata.shared_images,
        "notes": dict(metadata.notes),
        "splits": {
            split: _split((one for one in metadata.shards if one.split == split), split_entry, changes.reasons[split])
            for split, split_entry in new.splits.items()
        },
        "changes": changes.examples,
        "removed_shards": len(set(baseline.replaces).difference(shard.path for shard in metadata.shards)),
    }


def _split(summaries: Iterable[ShardSummary], entry: Mapping[str, Any], reasons: Mapping[str, int]) -> dict[str, Any]:
    shards = list(summaries)
    return {
        "examples": sum(shard.stored.examples for shard in shards),
        "classes": entry["classes"],
        "negatives": entry["negatives"],
        "bytes": sum(shard.stored.bytes for shard in shards),
        "bytes_to_write": sum(shard.stored.bytes for shard in shards if is_planned(shard)),
        "shards": {name: [_action(shard) for shard in shards].count(name) for name in (WRITE, STAGED, KEPT, REUSED)},
        "reasons": reasons,
    }


def _action(shard: ShardSummary) -> str:
    if is_planned(shard):
        return WRITE
    return shard.state if shard.state in (KEPT, REUSED) else STAGED


def _workers_of(beam_options: Iterable[str]) -> int:
    given = PipelineOptions([*beam_options]).get_all_options()
    if given.get("direct_num_workers") == 0:
        given["direct_num_workers"] = usable_cores()
    return max([1, *(int(given[name]) for name in _WORKER_OPTIONS if given.get(name))])


def describe(plan: Mapping[str, Any], job: Job, run: Run) -> str:
    """Writes the plan for people."""
    rows = plan["rows"]
    read = f"{count(rows['read'], 'row')} read"
    lines = [f"{read}, {rows['in_examples']} of them in examples; {count(plan['images'], 'image')}"]
    lines += describe_classes(rows, job.form.chosen)
    lines += [f"  {number} filtered: {reason}" for reason, number in rows["filtered"].items() if number]
    if plan["rejected"]:
        codes = ", ".join(f"{number} {code}" for code, number in plan["rejected"].items())
        lines.append(f"{sum(plan['rejected'].values())} rejected: {codes}")
        lines += [f"  {cause}" for cause in plan["misnamed"]]
    lines += describe_notes(plan["notes"])
    if not plan["allowed"]:
        lines.append(f"warning: at most {run.max_rejected} allowed (--max_rejected): nothing would be published")
    for name, split in plan["splits"].items():
        shards = sum(split["shards"].values())
        lines.append(
            f"{name}: {count(split['examples'], 'example')} in {count(shards, 'shard')}, {format_bytes(split['bytes'])}"
        )
        lines.append(f"  {describe_examples(split)}")
        lines += [f"  {text}" for text in _describe_actions(split)]
    lines += describe_changes(plan["changes"])
    lines += [f"warning: {problem}: nothing would be published" for problem in plan["held_back"]]
    if plan["removed_shards"]:
        lines.append(f"{count(plan['removed_shards'], 'shard')} in {job.output.output_dir} would be removed")
    if plan["shared_images"]:
        lines.append(f"warning: {count(plan['shared_images'], 'image')} in more than one split")
    lines += _describe_workers(plan, job)
    lines.append("images were not opened: a bad one is found when its shard is written")
    return "\n".join(lines) + "\n"


def _describe_actions(split: Mapping[str, Any]) -> list[str]:
    texts = {
        WRITE: f"to be written ({describe_reasons(split['reasons'])}), some {format_bytes(split['bytes_to_write'])}",
        STAGED: "finished by an earlier attempt",
        KEPT: "in the dataset already, and unchanged",
        REUSED: "to be copied from an earlier dataset",
    }
    return [f"{split['shards'][action]} {text}" for action, text in texts.items() if split["shards"][action]]


def _describe_workers(plan: Mapping[str, Any], job: Job) -> list[str]:
    shards, workers = sum(sum(split["shards"].values()) for split in plan["splits"].values()), plan["workers"]
    if shards >= workers:
        return []
    advice = f"--num_output_files {-(-workers // len(job.splits))} is enough"
    return [f"warning: {shards} shards keep at most {shards} of {workers} workers busy; {advice}"]
