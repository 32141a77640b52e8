"""The graph, top to bottom."""

from __future__ import annotations

from collections.abc import Mapping

import apache_beam as beam

from maskmill.pipeline.dataset.publish import PublishDataset
from maskmill.pipeline.job.job import Job
from maskmill.transforms.aggregate_metadata import AggregateMetadata
from maskmill.transforms.annotations.group_by_image import GroupByImage, partitions_for
from maskmill.transforms.annotations.list_images import ListImages
from maskmill.transforms.annotations.read_annotations import ReadAnnotations
from maskmill.transforms.assignment.assign_by_hash import AssignByHash
from maskmill.transforms.assignment.assign_by_position import AssignSplits
from maskmill.transforms.assignment.assign_shards import AssignShards
from maskmill.transforms.assignment.assign_stratified import AssignStratified
from maskmill.transforms.assignment.count_shared_images import CountSharedImages, may_share_images
from maskmill.transforms.assignment.select_examples import SelectExamples
from maskmill.transforms.assignment.splits import selections_of
from maskmill.transforms.shards.hdf5_file import estimate_bytes
from maskmill.transforms.sink.plan_shards import PlanShards
from maskmill.transforms.sink.write_shards import WriteShards

# By the name that a parameter file has for it.
ASSIGNMENTS: Mapping[str, type[AssignSplits | AssignByHash | AssignStratified]] = {
    "position": AssignSplits,
    "hash": AssignByHash,
    "stratified": AssignStratified,
}


def build_graph(pipeline: beam.Pipeline, job: Job) -> None:
    """Adds all steps of a run; pixels are only touched inside `WriteShards`.

    Args:
        pipeline: to which the steps are added.
        job: what the run is to do.
    """
    _build(pipeline, job, WriteShards, PublishDataset(job=job))


def build_plan(pipeline: beam.Pipeline, job: Job, report: beam.PTransform) -> None:
    """Adds the steps of a run as far as they need no pixel, and `report`, which takes the `DatasetMetadata`."""
    _build(pipeline, job, PlanShards, report)


def _build(pipeline: beam.Pipeline, job: Job, sink: type[WriteShards], end: beam.PTransform) -> None:
    annotations = pipeline | ReadAnnotations(files=job.files, sources=job.sources)
    files = pipeline | ListImages(folders=job.folders)
    partitions = partitions_for(job.files)
    grouped = annotations.rows | GroupByImage(
        files=files, folders=job.folders, partitions=partitions, unlisted=job.unlisted
    )
    selected = grouped.images | SelectExamples(
        selections=selections_of(job.rules),
        negatives=job.negatives,
        salt=job.salt,
        group_pattern=job.group_pattern,
    )

    assign = ASSIGNMENTS[job.assignment](rules=job.rules, salt=job.salt, blocks=partitions)
    assigned = selected.examples | assign
    example_bytes = {split: estimate_bytes(form.label) for split, form in job.forms.items()}
    shards = assigned.examples | AssignShards(layout=job.layout, sizes=assigned.sizes, example_bytes=example_bytes)
    written = shards | sink(
        forms=job.forms,
        staging=job.staging,
        published=job.published,
        reusable=job.reusable,
        checksum=job.checksum,
        workers=job.workers,
        processes=job.processes,
        num_shards=len(job.splits) * job.layout.num_shards,
    )

    tallies = [annotations.tallies, grouped.tallies, selected.tallies, assigned.tallies]
    if may_share_images(job.rules):
        tallies.append(assigned.examples | CountSharedImages())
    rejected = [annotations.rejected, grouped.rejected, selected.rejected, written.rejected]
    metadata = written.summaries | AggregateMetadata(
        sizes=assigned.sizes,
        tallies=tallies | "Tallies" >> beam.Flatten(),
        rejected=rejected | "Rejected" >> beam.Flatten(),
        lines=annotations.lines,
    )
    _ = metadata | end
