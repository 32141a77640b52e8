"""Builds the graph of a run, from top to bottom."""

from __future__ import annotations

import apache_beam as beam

from maskmill.pipeline.dataset.baseline import Baseline
from maskmill.pipeline.dataset.publish import PublishDataset
from maskmill.pipeline.errors import UsageError
from maskmill.pipeline.job.job import Job
from maskmill.pipeline.job.run import Run
from maskmill.pipeline.messages.progress_bar import expect_examples
from maskmill.transforms.aggregate_metadata import AggregateMetadata
from maskmill.transforms.annotations.group_by_image import GroupByImage, partitions_for
from maskmill.transforms.annotations.image_values import GROUPS, SPLITS
from maskmill.transforms.annotations.list_images import ListImages
from maskmill.transforms.annotations.read_annotations import ReadAnnotations
from maskmill.transforms.annotations.read_image_values import ReadImageValues
from maskmill.transforms.assignment.apply_transform import ApplyTransform, TransformError
from maskmill.transforms.assignment.assign_shards import AssignShards
from maskmill.transforms.assignment.count_shared_images import CountSharedImages, may_share_images
from maskmill.transforms.assignment.drop_without_crops import DropWithoutCrops
from maskmill.transforms.assignment.select_examples import SelectExamples
from maskmill.transforms.assignment.settle_duplicates import SettleDuplicates
from maskmill.transforms.assignment.splits import selections_of
from maskmill.transforms.assignment.strategies import strategy
from maskmill.transforms.examples.crops import most_crops
from maskmill.transforms.shards.hdf5_file import estimate_bytes
from maskmill.transforms.sink.find_shard import SinkOptions
from maskmill.transforms.sink.plan_shards import PlanShards
from maskmill.transforms.sink.write_shards import WriteShards

# What takes the shards of a run, or of a plan.
Sink = type[WriteShards] | type[PlanShards]


def build_graph(
    pipeline: beam.Pipeline, job: Job, baseline: Baseline, run: Run, transform: beam.PTransform | None = None
) -> None:
    """Adds all steps of a run; pixels are only touched inside `WriteShards`.

    Args:
        pipeline: the steps are added to it.
        job: what is to be made.
        baseline: what the run starts from.
        run: the execution.
        transform: applied to the selected examples; see `ApplyTransform`.
    """
    end = PublishDataset(job=job, baseline=baseline, run=run)
    _build(pipeline, job, baseline, run, WriteShards, end, transform)


def build_plan(
    pipeline: beam.Pipeline,
    job: Job,
    baseline: Baseline,
    run: Run,
    report: beam.PTransform,
    transform: beam.PTransform | None = None,
) -> None:
    """Adds the steps of a run that need no pixel, and `report`, which takes the `DatasetMetadata`."""
    _build(pipeline, job, baseline, run, PlanShards, report, transform)


def _build(
    pipeline: beam.Pipeline,
    job: Job,
    baseline: Baseline,
    run: Run,
    sink: Sink,
    end: beam.PTransform,
    transform: beam.PTransform | None,
) -> None:
    files, folders, selection = job.input.files, job.input.folders, job.selection
    annotations = pipeline | ReadAnnotations(
        files=files, sources=job.input.sources, processes=run.processes, excluded=job.input.excluded
    )
    images = pipeline | ListImages(folders=folders)
    groups, splits, suffix = None, None, job.input.image_suffix
    if job.input.groups:
        groups = pipeline | "ReadGroups" >> ReadImageValues(
            path=job.input.groups, column=GROUPS, image_suffix=suffix, folders=len(folders)
        )
    if job.input.splits_file:
        splits = pipeline | "ReadSplits" >> ReadImageValues(
            path=job.input.splits_file, column=SPLITS, image_suffix=suffix, folders=len(folders)
        )
    partitions = partitions_for(files)
    grouped = annotations.rows | GroupByImage(
        files=images.files,
        folders=folders,
        partitions=partitions,
        unlisted=job.input.unlisted,
        excluded=job.input.excluded,
        groups=groups,
        splits=splits,
        note_unused=not files,
    )
    selections = selections_of(selection.rules)
    selected = grouped.images | SelectExamples(
        selections=selections,
        negatives=selection.negatives,
        salt=selection.salt,
        group_pattern=selection.group_pattern,
    )

    tallies = [annotations.tallies, images.tallies, grouped.tallies, selected.tallies]
    examples = selected.examples
    if transform is not None:
        apply = ApplyTransform(transform=transform, selections=selections, partitions=partitions)
        try:
            transformed = examples | apply
        except TransformError as error:
            raise UsageError(f"transform: {error}") from error
        examples = transformed.examples
        tallies.append(transformed.tallies)
    pairs = None
    if selection.duplicates != "keep":
        settled = examples | SettleDuplicates(
            files=images.files, selections=selections, drop=selection.duplicates == "drop", partitions=partitions
        )
        examples, pairs = settled.examples, settled.pairs
        tallies.append(settled.tallies)

    if job.form.crops is not None:
        cut = examples | DropWithoutCrops(form=next(iter(job.form.examples.values())))
        examples = cut.examples
        tallies.append(cut.tallies)

    assign = strategy(selection.assignment)(
        rules=selection.rules, salt=selection.salt, partitions=partitions, folds=selection.folds
    )
    assigned = examples | assign
    _ = assigned.sizes | "ExpectExamples" >> beam.Map(expect_examples)
    image_bytes = {split: estimate_bytes(form) * most_crops(form.crops) for split, form in job.form.examples.items()}
    shards = assigned.examples | AssignShards(layout=job.output.layout, sizes=assigned.sizes, image_bytes=image_bytes)
    options = SinkOptions(
        forms=job.form.examples,
        staging=job.output.staging,
        published=baseline.published,
        reusable=baseline.reusable,
        checksum=job.input.checksum,
        workers=run.workers,
        processes=run.processes,
    )
    written = shards | sink(options=options)

    tallies.append(assigned.tallies)
    if may_share_images(selection.rules):
        tallies.append(assigned.examples | CountSharedImages())
    rejected = [annotations.rejected, grouped.rejected, selected.rejected, written.rejected]
    metadata = written.summaries | AggregateMetadata(
        sizes=assigned.sizes,
        tallies=tallies | "Tallies" >> beam.Flatten(),
        rejected=rejected | "Rejected" >> beam.Flatten(),
        lines=annotations.lines,
        pairs=pairs,
    )
    _ = metadata | end
